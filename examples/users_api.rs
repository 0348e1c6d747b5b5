//! A small user service behind a Lambda authorizer: one record for each principal, in a database file.
//!
//! ```console
//! $ cargo run --example users_api
//! listening on http://127.0.0.1:3000
//! ```
//!
//! `PORT` chooses another port (0: any free one), `DATABASE` another file than `users.redb`. In a second terminal:
//!
//! ```console
//! $ curl -H 'headerauth1: headerValue1' -H 'content-type: application/json' \
//!     -d '{"age":"1001","height":"300","income":"200"}' \
//!     'http://127.0.0.1:3000/users?QueryString1=queryValue1'
//! {"userid":"me","age":"1001","height":"300","income":"200"}
//! $ curl -H 'headerauth1: headerValue1' 'http://127.0.0.1:3000/users/someone-else?QueryString1=queryValue1'
//! {"Message":"User is not authorized to access this resource"}
//! ```

use std::{env, error::Error, path::Path as FilePath, process::ExitCode, sync::Arc, time::Duration};

use axum::extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection};
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use redb::{Database, TableDefinition};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tokio::{net::TcpListener, task::spawn_blocking};
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal,
    authorizer_fn, axum::protect, cache::MemoryCache, policy::AnyMethod, request::IdentitySource,
};

type Failure = Box<dyn Error + Send + Sync>;

/// Says who is calling and what they may do. It does not know the service; it only sees the head of a request.
pub(crate) async fn authorize(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let known = event.header("headerauth1") == Some("headerValue1")
        && event.query_parameter("QueryString1") == Some("queryValue1")
        && event.stage_variable("StageVar1") == Some("stageValue1");
    if !known {
        return Err(AuthorizerError::unauthorized());
    }
    let policy = event.policy().allow(Method::POST, "/users");
    let policy = policy.allow(AnyMethod, "/users/me").allow(AnyMethod, "/users/me/*");
    let policy = policy.deny(Method::DELETE, "/users/*").build()?;
    let response = AuthorizerResponse::new("me", policy)?.with_context("stringKey", "stringval");
    Ok(response.with_context("numberKey", 123).with_context("booleanKey", true))
}

fn authorizer_layer() -> Result<AuthorizerLayer, Failure> {
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "dev")?
        .with_stage_variable("StageVar1", "stageValue1")?;
    // Everything the authorizer looks at: a cached answer serves only requests that agree in all of it.
    let identity = [
        IdentitySource::header(HeaderName::from_static("headerauth1")),
        IdentitySource::query_string("QueryString1"),
        IdentitySource::stage_variable("StageVar1"),
    ];
    let layer = AuthorizerLayer::request(authorizer_fn(authorize), stage);
    Ok(layer.with_identity_sources(identity).with_cache(MemoryCache::default()).build()?)
}

/// A record. Of a request's body only these three are read; the id is the authorizer's word, never the client's.
#[derive(Deserialize, Serialize)]
struct User {
    #[serde(skip_deserializing)]
    userid: String,
    age: String,
    height: String,
    income: String,
    /// What else a body may hold. Because of this member serde also refuses a list in the place of a record.
    #[serde(flatten, skip_serializing)]
    _ignored: IgnoredAny,
}

async fn store(
    State(users): State<Users>,
    principal: Principal,
    body: Result<Json<User>, JsonRejection>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let Json(mut user) = body.map_err(|rejection| Problem(rejection.status(), rejection.body_text()))?;
    user.userid = principal.id().to_owned();
    let user = users.run(|users| users.put(user)).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

async fn show(State(users): State<Users>, Path(userid): Path<String>) -> Result<Json<User>, Problem> {
    let user = users.run(|users| users.get(userid)).await?;
    user.map(Json).ok_or_else(|| Problem(StatusCode::NOT_FOUND, "there is no such user".to_owned()))
}

pub(crate) fn router(users: Users) -> Router {
    Router::new()
        .route("/users", routing::post(store))
        .route("/users/{id}", routing::get(show))
        .fallback(async || Problem(StatusCode::NOT_FOUND, "there is nothing here".to_owned()))
        .method_not_allowed_fallback(async || {
            Problem(StatusCode::METHOD_NOT_ALLOWED, "use a method that the header `allow` names".to_owned())
        })
        .layer(DefaultBodyLimit::max(16 * 1024))
        .with_state(users)
}

/// Whatever this service refuses: a status, and a body like the gateway's.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(serde_json::json!({ "message": self.1 }))).into_response()
    }
}

const USERS: TableDefinition<&str, &str> = TableDefinition::new("users");

/// The records, as JSON, in a database file.
#[derive(Clone)]
pub(crate) struct Users(Arc<Database>);

impl Users {
    pub(crate) fn open(path: &FilePath) -> Result<Self, Failure> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(USERS)?;
        transaction.commit()?;
        Ok(Self(Arc::new(database)))
    }

    fn put(&self, user: User) -> Result<User, Failure> {
        let transaction = self.0.begin_write()?;
        transaction.open_table(USERS)?.insert(&*user.userid, &*serde_json::to_string(&user)?)?;
        transaction.commit()?;
        Ok(user)
    }

    fn get(&self, userid: String) -> Result<Option<User>, Failure> {
        let Some(found) = self.0.begin_read()?.open_table(USERS)?.get(&*userid)? else { return Ok(None) };
        Ok(Some(User { userid, ..serde_json::from_str(found.value())? }))
    }

    /// The database blocks, so it is asked on a thread where that is allowed. Its failures go to the log.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let result = spawn_blocking(move || work(&self)).await.map_err(Failure::from);
        result.and_then(|result| result).map_err(|error| {
            eprintln!("error: {error}");
            Problem(StatusCode::INTERNAL_SERVER_ERROR, "internal server error".to_owned())
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Failure> {
    let port = env::var_os("PORT").unwrap_or_else(|| "3000".into());
    let port: u16 = port
        .to_str()
        .and_then(|port| port.parse().ok())
        .ok_or_else(|| format!("PORT is `{}`: set it to a number from 0 to 65535", port.display()))?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("cannot listen on 127.0.0.1:{port}: set PORT to a free port, or to 0 for any ({error})")
    })?;
    let path = env::var_os("DATABASE").unwrap_or_else(|| "users.redb".into());
    let users = Users::open(path.as_ref()).map_err(|error| {
        format!("cannot open the database `{}`: set DATABASE to another file ({error})", path.display())
    })?;
    let service = protect(router(users), authorizer_layer()?);
    let (stop, give_up) = (stop_signal()?, stop_signal()?);
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        result = axum::serve(listener, service).with_graceful_shutdown(stop) => result?,
        () = async { give_up.await; tokio::time::sleep(GRACE).await } => {
            eprintln!("warning: stopped before all requests ended");
        }
    }
    Ok(())
}

/// How long requests in flight may take to end after the signal to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Ctrl-C, or the signal of service managers. It is heard from the moment this returns.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
}
