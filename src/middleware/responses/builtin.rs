//! What each kind of API says by itself.

use crate::contract::ApiKind;
use crate::middleware::RejectionKind;

/// A refusal in the words of one kind of API.
pub(super) struct Builtin {
    pub(super) body: &'static str,
    /// What the body says; API Gateway says nothing about its own failures behind a REST API.
    pub(super) message: Option<&'static str>,
    /// `x-amzn-errortype`, which HTTP APIs do not send.
    pub(super) error_type: Option<&'static str>,
}

macro_rules! builtin {
    ($member:literal, $message:literal, $error_type:expr) => {
        Builtin {
            body: concat!("{\"", $member, "\":\"", $message, "\"}"),
            message: Some($message),
            error_type: $error_type,
        }
    };
}

pub(super) const fn builtin(api: ApiKind, kind: RejectionKind) -> Builtin {
    match api {
        ApiKind::Rest | ApiKind::WebSocket => rest(kind),
        ApiKind::Http => http(kind),
    }
}

const fn rest(kind: RejectionKind) -> Builtin {
    match kind {
        RejectionKind::InvalidTarget => builtin!("message", "Bad Request", Some("BadRequestException")),
        RejectionKind::AmbiguousIdentity
        | RejectionKind::ExpiredAnswer
        | RejectionKind::MissingAuthorizer
        | RejectionKind::MissingIdentity
        | RejectionKind::Unauthorized => {
            builtin!("message", "Unauthorized", Some("UnauthorizedException"))
        }
        // With a capital letter, unlike all the others.
        RejectionKind::ForeignEvent | RejectionKind::ImplicitDeny => builtin!(
            "Message",
            "User is not authorized to access this resource",
            Some("AccessDeniedException")
        ),
        RejectionKind::ExplicitDeny => builtin!(
            "Message",
            "User is not authorized to access this resource with an explicit deny in an identity-based policy",
            Some("AccessDeniedException")
        ),
        RejectionKind::OutsideBasePath => builtin!("message", "Not Found", Some("NotFoundException")),
        RejectionKind::TargetTooLong => {
            builtin!("message", "Request URI too long", Some("RequestTooLongException"))
        }
        RejectionKind::AuthorizerFailure
        | RejectionKind::AuthorizerPanic
        | RejectionKind::AuthorizerTimeout
        | RejectionKind::InvalidResponse
        | RejectionKind::Overloaded
        | RejectionKind::TargetMoved
        | RejectionKind::UnavailableKey => Builtin {
            body: r#"{"message":null}"#,
            message: None,
            error_type: Some("AuthorizerConfigurationException"),
        },
    }
}

const fn http(kind: RejectionKind) -> Builtin {
    match kind {
        RejectionKind::InvalidTarget => builtin!("message", "Bad Request", None),
        RejectionKind::AmbiguousIdentity
        | RejectionKind::ExpiredAnswer
        | RejectionKind::MissingAuthorizer
        | RejectionKind::MissingIdentity
        | RejectionKind::Unauthorized => builtin!("message", "Unauthorized", None),
        RejectionKind::ExplicitDeny | RejectionKind::ForeignEvent | RejectionKind::ImplicitDeny => {
            builtin!("message", "Forbidden", None)
        }
        RejectionKind::OutsideBasePath => builtin!("message", "Not Found", None),
        RejectionKind::TargetTooLong => builtin!("message", "Request URI too long", None),
        RejectionKind::AuthorizerFailure
        | RejectionKind::AuthorizerPanic
        | RejectionKind::AuthorizerTimeout
        | RejectionKind::InvalidResponse
        | RejectionKind::Overloaded
        | RejectionKind::TargetMoved
        | RejectionKind::UnavailableKey => builtin!("message", "Internal Server Error", None),
    }
}
