//! The service: its routes and handlers. It does not know who decides; a request that comes here has been allowed.

use axum::extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use tower_lambda_authorizer::Principal;

use crate::Failure;
use crate::store::{User, Users};

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

/// Whatever this service refuses: a status, and a body like the gateway's.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(serde_json::json!({ "message": self.1 }))).into_response()
    }
}

/// What fails goes to the log; the client is not told.
impl From<Failure> for Problem {
    fn from(error: Failure) -> Self {
        eprintln!("error: {error}");
        Self(StatusCode::INTERNAL_SERVER_ERROR, "internal server error".to_owned())
    }
}
