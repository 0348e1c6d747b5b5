//! From a live request to the event of a `REQUEST` authorizer.

use std::net::IpAddr;

use http::{HeaderMap, Method};

use super::query;
use super::route;
use super::stage::ApiStage;
use crate::contract::{RequestEvent, RequestEventParts};
use crate::policy::ExecuteApiArn;

/// The id of one request, made by us: no client can choose it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RequestId(u128);

impl RequestId {
    /// A new id. It tells requests apart in logs; it is no secret and protects nothing.
    pub(crate) fn random() -> Self {
        Self(fastrand::u128(..))
    }
}

/// Printed as a version 4 UUID, as API Gateway's ids are.
impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.0;
        let (variant, version) = ((id >> 48 & 0x3FFF) | 0x8000, (id >> 64 & 0x0FFF) | 0x4000);
        write!(
            f,
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
            id >> 96,
            id >> 80 & 0xFFFF,
            id & 0xFFFF_FFFF_FFFF
        )
    }
}

/// Makes the event. `path` is as it stands in the ARN; `template` is axum's.
#[expect(clippy::too_many_arguments, reason = "one for each part of a request, all of different types")]
pub(crate) fn request_event(
    stage: &ApiStage,
    arn: ExecuteApiArn,
    method: &Method,
    path: &str,
    located: route::Location<'_>,
    query: Option<&str>,
    headers: &HeaderMap,
    source_ip: Option<IpAddr>,
    request_id: RequestId,
) -> RequestEvent {
    RequestEvent::new(RequestEventParts {
        arn,
        method: method.clone(),
        path: path.into(),
        resource: route::resource(located.template),
        path_parameters: route::parameters(located.template, located.path),
        headers: headers.clone(),
        query: query::decode_all(query.unwrap_or_default()),
        stage_variables: stage.stage_variables(),
        source_ip,
        request_id: request_id.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_look_like_uuids() {
        assert_eq!(RequestId(0).to_string(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(RequestId(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_ne!(RequestId::random(), RequestId::random());
    }
}
