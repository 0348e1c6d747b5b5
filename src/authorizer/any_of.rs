//! Several authorizers, of which the caller's credential chooses one.

use super::credential::{Credential, Presence};
use super::{Authorizer, AuthorizerError, SharedAuthorizer};
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};

/// Begins an authorizer made of several, each for another kind of credential.
///
/// The first member whose credential is there is asked, and what it says is the answer: a policy that denies, an
/// "unauthorized" and a failure as well. The next member's turn comes only if the credential is *absent*. So nobody gets
/// around a revoked token by sending a key along that would have been good enough, and a bad credential never makes a
/// caller [anonymous](AnyOfBuilder::or_anonymous).
///
/// ```
/// use tower_lambda_authorizer::authorizer::{Credential, any_of};
/// use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent, AuthorizerResponse, authorizer_fn};
///
/// async fn by_token(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
///     // …
/// #   Err(AuthorizerError::unauthorized())
/// }
/// async fn by_key(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
///     // …
/// #   Err(AuthorizerError::unauthorized())
/// }
///
/// let authorizer = any_of()
///     .member(Credential::bearer(), authorizer_fn(by_token))
///     .member(Credential::header("x-api-key"), authorizer_fn(by_key))
///     .build()?;
/// # Ok::<(), tower_lambda_authorizer::authorizer::AnyOfError>(())
/// ```
///
/// # In front of which API
///
/// Leave the credentials out of the identity sources, or call
/// [`accept_missing_identity`](crate::middleware::AuthorizerLayerBuilder::accept_missing_identity): a gateway refuses
/// requests that lack one of its identity sources. A layer that caches must name all of them, and does not build
/// otherwise. In Lambda, a REST API asks about incomplete requests only while its cache is off, and an HTTP API only if
/// it has no identity sources.
///
/// HTTP APIs with format 2.0 join repeated headers with commas before anybody sees them. There a header that was sent
/// twice arrives as one value. It is refused if the credential of a member stands behind a comma in it; if it stands in
/// front of one, the member is asked about all of it and has to refuse it.
pub fn any_of() -> AnyOfBuilder {
    AnyOfBuilder { any_of: AnyOf::default() }
}

/// Makes an [`AnyOf`]; begun with [`any_of`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct AnyOfBuilder {
    any_of: AnyOf,
}

impl AnyOfBuilder {
    /// Adds an authorizer for callers who show this credential and none of the earlier members'.
    pub fn member(mut self, credential: Credential, authorizer: impl Authorizer) -> Self {
        self.any_of.members.push(Member { credential, authorizer: SharedAuthorizer::new(authorizer) });
        self
    }

    /// Makes authorization optional: callers who show no credential at all are whoever this authorizer says, and may do
    /// what it says. Without it they are unauthorized.
    ///
    /// An `Authorization` header with a scheme that no member knows is a credential, if a bad one: 401.
    ///
    /// ```
    /// use http::Method;
    /// use tower_lambda_authorizer::authorizer::{Credential, any_of};
    /// use tower_lambda_authorizer::{AuthorizerError, AuthorizerResponse, authorizer_fn};
    ///
    /// # let members = authorizer_fn(async |_| Err(AuthorizerError::unauthorized()));
    /// let public = authorizer_fn(async |event| {
    ///     let policy = event.policy().allow(Method::GET, "/articles/*").build()?;
    ///     Ok(AuthorizerResponse::new("anonymous", policy)?)
    /// });
    /// let authorizer = any_of().member(Credential::bearer(), members).or_anonymous(public).build()?;
    /// # Ok::<(), tower_lambda_authorizer::authorizer::AnyOfError>(())
    /// ```
    #[doc(alias = "optional")]
    pub fn or_anonymous(mut self, authorizer: impl Authorizer) -> Self {
        self.any_of.anonymous = Some(SharedAuthorizer::new(authorizer));
        self
    }

    /// What callers without a credential are told; the first challenge that a member names, if not said.
    pub fn with_challenge(mut self, challenge: Challenge) -> Self {
        self.any_of.challenge = Some(challenge);
        self
    }

    /// Makes the authorizer.
    ///
    /// # Errors
    ///
    /// If there is no member, if a credential cannot be in any request, or if a member could never be asked because an
    /// earlier one has every request with its credential.
    pub fn build(self) -> Result<AnyOf, AnyOfError> {
        let Self { mut any_of } = self;
        if any_of.members.is_empty() {
            return Err(AnyOfError::NoMember);
        }
        for (index, member) in any_of.members.iter().enumerate() {
            let credential = &member.credential;
            if !credential.is_valid() {
                return Err(AnyOfError::InvalidCredential { credential: credential.clone() });
            }
            let mut earlier = any_of.members.iter().take(index);
            if let Some(hiding) = earlier.find(|earlier| earlier.credential.covers(credential)) {
                let (credential, by) = (credential.clone(), hiding.credential.clone());
                return Err(AnyOfError::NeverAsked { credential, by });
            }
        }
        if any_of.challenge.is_none() {
            any_of.challenge = any_of.members.iter().find_map(|member| member.authorizer.challenge());
        }
        Ok(any_of)
    }
}

/// An [`Authorizer`] that asks the member for whose credential the caller shows. Made by [`any_of`].
#[derive(Clone, Default)]
pub struct AnyOf {
    members: Vec<Member>,
    anonymous: Option<SharedAuthorizer>,
    challenge: Option<Challenge>,
}

#[derive(Clone)]
struct Member {
    credential: Credential,
    authorizer: SharedAuthorizer,
}

impl AnyOf {
    /// Whose turn it is. Whatever is there and cannot be used ends the search: it is not absent.
    fn choose(&self, event: &AuthorizerEvent) -> Result<&SharedAuthorizer, AuthorizerError> {
        // A layer of that type does not build. A function is not asked how it is deployed.
        let mut credentials = self.members.iter().map(|member| &member.credential);
        if matches!(event, AuthorizerEvent::Token(_))
            && let Some(hidden) = credentials.find(|credential| !credential.is_token())
        {
            let mistake = format!(
                "an authorizer of type TOKEN is not told the credential `{hidden}`: make it one of type REQUEST"
            );
            return Err(AuthorizerError::failure(mistake));
        }
        let mut shows_nothing = true;
        for Member { credential, authorizer } in &self.members {
            match credential.presence(event) {
                Presence::Absent => {}
                Presence::Other => shows_nothing = false,
                Presence::Present => return Ok(authorizer),
                Presence::Unusable(reason) => {
                    let reason = format!("the credential `{credential}` {reason}");
                    return Err(AuthorizerError::unauthorized().with_reason(reason));
                }
            }
        }
        let anonymous = self.anonymous.as_ref().filter(|_| shows_nothing);
        anonymous.ok_or_else(|| {
            let reason = "the request shows none of the credentials that somebody would understand";
            AuthorizerError::unauthorized().with_reason(reason)
        })
    }
}

impl Authorizer for AnyOf {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        let authorizer = self.choose(&event)?;
        let answer = authorizer.ask(event).await;
        // Whoever showed a key is told about keys, not about what the first member wants.
        answer.map_err(|error| match (error.challenge(), authorizer.challenge()) {
            (None, Some(challenge)) => error.with_challenge(challenge),
            _ => error,
        })
    }

    fn challenge(&self) -> Option<Challenge> {
        self.challenge.clone()
    }

    fn credentials(&self) -> Vec<Credential> {
        let inner = self.members.iter().map(|member| &member.authorizer).chain(&self.anonymous);
        let inner = inner.flat_map(Authorizer::credentials);
        self.members.iter().map(|member| member.credential.clone()).chain(inner).collect()
    }
}

impl std::fmt::Debug for AnyOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let credentials: Vec<&Credential> = self.members.iter().map(|member| &member.credential).collect();
        f.debug_struct("AnyOf")
            .field("credentials", &credentials)
            .field("anonymous", &self.anonymous.is_some())
            .field("challenge", &self.challenge)
            .finish()
    }
}

/// What can be wrong with an [`AnyOf`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnyOfError {
    /// A credential that no request can have.
    InvalidCredential {
        /// Which.
        credential: Credential,
    },
    /// A member that would never be asked.
    NeverAsked {
        /// Its credential.
        credential: Credential,
        /// The credential of an earlier member, which then is there too.
        by: Credential,
    },
    /// Nobody to ask.
    NoMember,
}

impl std::fmt::Display for AnyOfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InvalidCredential { credential } => {
                write!(f, "no request has the credential `{credential}`: names and schemes are plain words")
            }
            Self::NeverAsked { credential, by } => write!(
                f,
                "the member for `{credential}` would never be asked, because an earlier one is for `{by}`: \
                 remove one, or turn them around"
            ),
            Self::NoMember => f.write_str("there is nobody to ask: add a member with `member`"),
        }
    }
}

impl std::error::Error for AnyOfError {}
