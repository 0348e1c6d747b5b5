//! The table, and what is asked for each of its rows.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Request, StatusCode};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::jwt::{JwtError, JwtReason};
use tower_lambda_authorizer::middleware::Rejection;

use crate::common::{Counter, counting};
use crate::homes::{Home, Words};

#[derive(Default)]
pub struct Table {
    class: &'static str,
    rows: Vec<Row>,
}

struct Row {
    class: &'static str,
    name: String,
    home: Home,
    token: String,
    expected: Expected,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Expected {
    /// 200, and the handler sees this principal.
    Accepted(String),
    /// 403: a good token that is allowed nothing.
    Denied,
    /// 401, for this reason.
    Refused(JwtReason),
}

impl Table {
    pub fn class(&mut self, name: &'static str) {
        self.class = name;
    }

    /// A token that is accepted, as `alice`.
    pub fn accepts(&mut self, name: impl Into<String>, home: &Home, token: impl Into<String>) {
        self.accepts_as("alice", name, home, token);
    }

    pub fn accepts_as(
        &mut self,
        principal: impl Into<String>,
        name: impl Into<String>,
        home: &Home,
        token: impl Into<String>,
    ) {
        self.row(name.into(), home, token.into(), Expected::Accepted(principal.into()));
    }

    pub fn denies(&mut self, name: impl Into<String>, home: &Home, token: impl Into<String>) {
        self.row(name.into(), home, token.into(), Expected::Denied);
    }

    pub fn refuses(
        &mut self,
        reason: JwtReason,
        name: impl Into<String>,
        home: &Home,
        token: impl Into<String>,
    ) {
        self.row(name.into(), home, token.into(), Expected::Refused(reason));
    }

    fn row(&mut self, name: String, home: &Home, token: String, expected: Expected) {
        self.rows.push(Row { class: self.class, name, home: home.clone(), token, expected });
    }

    /// How many rows there are: accepted, denied and refused, by class.
    pub fn count(&self) -> Vec<(&'static str, [usize; 3])> {
        let mut classes = BTreeMap::<_, [usize; 3]>::new();
        for row in &self.rows {
            let column = match row.expected {
                Expected::Accepted(_) => 0,
                Expected::Denied => 1,
                Expected::Refused(_) => 2,
            };
            classes.entry(row.class).or_default()[column] += 1;
        }
        classes.into_iter().collect()
    }

    /// Asks for every row, and panics with all that went wrong.
    pub async fn assert_all(&self) {
        let (mut names, mut tokens, mut wrong) = (HashSet::new(), HashSet::new(), Vec::new());
        for row in &self.rows {
            let name = format!("{}: {} (at `{}`)", row.class, row.name, row.home.name);
            if !names.insert(name.clone()) {
                wrong.push(format!("{name}: this name is there twice"));
            }
            if !tokens.insert((row.home.name, &row.token)) {
                wrong.push(format!("{name}: this token is there twice"));
            }
            if let Err(problem) = row.check().await {
                wrong.push(format!("{name}: expected {:?}, but {problem}", row.expected));
            }
        }
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), self.rows.len(), wrong.join("\n"));
    }
}

impl Row {
    async fn check(&self) -> Result<(), String> {
        let alone = match &self.home.authorizer {
            Some(authorizer) => Some(authorizer.verify(&self.token).await.err()),
            None => None,
        };
        if let Some(Some(error)) = &alone {
            self.keeps_secret("its error", &format!("{error} {error:?}"))?;
        }
        let reason = alone.as_ref().map(|error| error.as_ref().map(JwtError::reason));
        // What the claims are good for is decided behind `verify`.
        match (&self.expected, reason) {
            (Expected::Refused(JwtReason::Principal | JwtReason::Scope), Some(None)) | (_, None) => {}
            (Expected::Accepted(_) | Expected::Denied, Some(None)) => {}
            // Found before there is a token.
            (Expected::Refused(JwtReason::Missing | JwtReason::Several), Some(Some(_))) => {}
            (Expected::Refused(expected), Some(Some(found))) if *expected == found => {}
            (_, Some(found)) => return Err(format!("alone it is {found:?}")),
        }
        let Ok(header) = HeaderValue::from_bytes(format!("Bearer {}", self.token).as_bytes()) else {
            // No client can send it.
            return if reason.is_some() { Ok(()) } else { Err("nothing was tested".to_owned()) };
        };
        for layer in [&self.home.layer, &self.home.cached] {
            for _ in 0..2 {
                self.ask(layer, &header).await?;
            }
        }
        Ok(())
    }

    async fn ask(&self, layer: &AuthorizerLayer, header: &HeaderValue) -> Result<(), String> {
        let calls = Counter::default();
        let request = Request::get("/orders/1").header("authorization", header).body(()).unwrap();
        let hits = layer.cache_statistics().hits;
        let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
        let rejection = response.extensions().get::<Rejection>();
        let reason = rejection.and_then(|rejection| {
            let error = rejection.source()?.downcast_ref::<JwtError>()?;
            Some(error.reason())
        });
        let (expected, is_kept) = match &self.expected {
            Expected::Accepted(_) => (StatusCode::OK, true),
            Expected::Denied => (StatusCode::FORBIDDEN, true),
            Expected::Refused(_) => (StatusCode::UNAUTHORIZED, false),
        };
        let found = (response.status(), calls.count());
        if found != (expected, usize::from(expected == StatusCode::OK)) {
            return Err(format!("status and calls are {found:?}, because of {reason:?}"));
        }
        if !is_kept && layer.cache_statistics().hits != hits {
            return Err("it was kept".to_owned());
        }
        match (&self.expected, reason) {
            (Expected::Refused(expected), Some(found)) if *expected != found => {
                return Err(format!("the layer says {found:?}"));
            }
            _ => {}
        }
        let challenge = response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap());
        let wanted = match &self.expected {
            Expected::Accepted(_) => None,
            Expected::Denied => self.home.words.denied(),
            // Nothing of it reached the authorizer.
            Expected::Refused(_) if reason.is_none() => self.home.words.bare(),
            Expected::Refused(reason) => self.home.words.refused(*reason),
        };
        if challenge != wanted.as_deref() {
            return Err(format!("the challenge is {challenge:?}, not {wanted:?}"));
        }
        if let Some(rejection) = rejection {
            self.keeps_secret("the rejection", &format!("{rejection} {rejection:?}"))?;
        }
        self.keeps_secret("the answer", &format!("{:?} {}", response.headers(), response.body()))?;
        match &self.expected {
            Expected::Accepted(principal) if response.body() != principal => {
                Err(format!("the principal is {:?}", response.body()))
            }
            _ => Ok(()),
        }
    }

    /// No part of a token is in what is told.
    fn keeps_secret(&self, what: &str, text: &str) -> Result<(), String> {
        let parts = self.token.split(['.', ',', ' ']).filter(|part| part.len() > 16);
        match parts.into_iter().any(|part| text.contains(part)) {
            true => Err(format!("{what} tells of the token")),
            false => Ok(()),
        }
    }
}

impl Words {
    fn bare(self) -> Option<String> {
        self.refused(JwtReason::Missing)
    }

    fn refused(self, reason: JwtReason) -> Option<String> {
        let text = match (self, reason) {
            (Self::None, _) => return None,
            (_, JwtReason::Missing) => "Bearer".to_owned(),
            (Self::Rfc6750, JwtReason::Expired) => {
                r#"Bearer error="invalid_token", error_description="the token has expired""#.to_owned()
            }
            (Self::Rfc6750, _) => {
                r#"Bearer error="invalid_token", error_description="the token is not valid""#.to_owned()
            }
            (Self::HttpApi, JwtReason::Audience) => {
                r#"Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience""#
                    .to_owned()
            }
            (Self::HttpApi, reason) => {
                format!(r#"Bearer scope="" error="invalid_token" error_description="{reason}""#)
            }
        };
        Some(text)
    }

    fn denied(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Rfc6750 => Some(r#"Bearer error="insufficient_scope", scope="orders""#.to_owned()),
            Self::HttpApi => Some(
                r#"Bearer scope="orders" error="insufficient_scope" error_description="the token has none of the scopes that are needed""#
                    .to_owned(),
            ),
        }
    }
}
