//! Whether the path that an event shows is the path that its gateway has asked about.
//!
//! Behind a mapped domain they differ by the base path, and the API's own address is still there: a path that begins with
//! the base path by chance is asked about as a whole when it comes in that way.

use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use crate::contract::{EventKind, is_filled};
use crate::middleware::{Rejection, RejectionKind};
use crate::request::ApiStage;

/// Holds what an event of a REST API, or of format 1.0, says besides its path against that path: `raw` as the event has it, and
/// `canonical`, which has the base path still.
pub(super) fn check<B>(
    request: &http::Request<B>,
    kind: EventKind,
    stage: &ApiStage,
    raw: &str,
    canonical: &str,
) -> Result<(), Rejection> {
    let asked =
        stage.strip_base_path(canonical).ok_or_else(|| Rejection::new(RejectionKind::OutsideBasePath))?;
    let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else { return Ok(()) };

    let template = context.resource_path.as_deref().filter(|template| template.starts_with('/'));
    let domain = context.domain_name.as_deref();
    // Without a template nothing but the name tells the mapping from that of another domain.
    let is_known = is_of_domain(domain, stage.custom_domain()) || domain.is_some_and(is_of_api);
    if template.is_none() && !is_known {
        let kind = if stage.base_path().is_some() {
            RejectionKind::OutsideBasePath
        } else {
            RejectionKind::TargetMoved
        };
        return Err(Rejection::with_detail(
            kind,
            "the route `$default` does not tell the mapping: the request has to come in through the domain that is \
             configured (`with_custom_domain`)",
        ));
    }
    if stage.base_path().is_some() {
        let outside = |detail: &'static str| Rejection::with_detail(RejectionKind::OutsideBasePath, detail);
        if domain.is_some_and(is_of_api) {
            return Err(outside("the request came in through the API's own address"));
        }
        if context.path.as_deref().is_some_and(|path| has_stage(path, stage.arn().stage(), raw)) {
            return Err(outside("the request came in under the name of the stage"));
        }
    }
    if kind == EventKind::RestRequest
        && let Some(sent) = context.path.as_deref()
    {
        check_sent(sent, stage.arn().stage(), raw, template)?;
    }
    let fits_sent = |template| {
        // Nothing is decoded there, and `asked` may be.
        let sent = stage.strip_base_path(raw).filter(|_| kind == EventKind::RestRequest);
        sent.is_some_and(|sent| fits(request, template, sent))
    };
    match template.map(|template| fits(request, template, asked) || fits_sent(template)) {
        // Whether the stage is in front of the path is not said either.
        None if begins_with(asked, stage.arn().stage()) => Err(Rejection::with_detail(
            RejectionKind::TargetMoved,
            "the path begins with the name of the stage, and the route `$default` does not tell whether it is a part of it",
        )),
        None | Some(true) => Ok(()),
        Some(false) if stage.base_path().is_some() => Err(Rejection::with_detail(
            RejectionKind::OutsideBasePath,
            "the gateway has asked about another path: the base path is not that of the mapping",
        )),
        Some(false) => Err(Rejection::with_detail(
            RejectionKind::TargetMoved,
            "the gateway has asked about another path: a parameter of one segment holds a slash, or its mapping has a base \
             path that is not named here (`with_base_path`)",
        )),
    }
}

/// Holds the path that a REST API shows against the one that was sent, which it shows in its context: behind the stage, or as it is
/// behind a mapped domain. It shows slashes side by side at the front as one, and may have asked about all of them.
fn check_sent(sent: &str, stage: &str, raw: &str, template: Option<&str>) -> Result<(), Rejection> {
    let behind_stage = sent.strip_prefix('/').and_then(|sent| sent.strip_prefix(stage));
    let is_raw = |sent: &str| sent == raw || (sent.is_empty() && raw == "/");
    // Local emulators show the template there.
    let is_template = template.is_some_and(|template| template == sent && template.contains('{'));
    if is_raw(sent) || behind_stage.is_some_and(is_raw) || is_template {
        return Ok(());
    }
    Err(match sent.contains("//") {
        true => Rejection::with_detail(
            RejectionKind::InvalidTarget,
            "the path that was sent holds an empty segment",
        ),
        false => Rejection::with_detail(
            RejectionKind::TargetMoved,
            "the path of the event is not the one in its `requestContext`, which was sent",
        ),
    })
}

/// Whether a request came in through the domain that is configured.
fn is_of_domain(domain_name: Option<&str>, configured: Option<&str>) -> bool {
    domain_name.zip(configured).is_some_and(|(name, configured)| name.eq_ignore_ascii_case(configured))
}

/// `{api}.execute-api.{region}.amazonaws.com`, and the names that private APIs have besides.
fn is_of_api(domain_name: &str) -> bool {
    domain_name.split('.').nth(1).is_some_and(|label| label.eq_ignore_ascii_case("execute-api"))
}

fn begins_with(path: &str, stage: &str) -> bool {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether `path` is `raw` behind the name of the stage. Slashes at the front are fewer in one than in the other.
fn has_stage(path: &str, stage: &str, raw: &str) -> bool {
    let rest = path.trim_start_matches('/').strip_prefix(stage).filter(|rest| rest.starts_with('/'));
    rest.is_some_and(|rest| rest.trim_start_matches('/') == raw.trim_start_matches('/'))
}

/// Holds the route of an event of format 2.0 against its path, `asked`: that has no base path, but a slash that was escaped
/// cannot be told from another there.
pub(super) fn check_route<B>(request: &http::Request<B>, asked: &str) -> Result<(), Rejection> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { return Ok(()) };
    let template = context.route_key.as_deref().and_then(|route| route.split_once(' ')).map(|(_, path)| path);
    match template {
        Some(template) if !fits(request, template, asked) => Err(Rejection::with_detail(
            RejectionKind::TargetMoved,
            "the path is not the one of the route that the gateway has taken",
        )),
        _ => Ok(()),
    }
}

/// Whether a path is the template with the request's parameters in it, but for slashes at the ends.
fn fits<B>(request: &http::Request<B>, template: &str, path: &str) -> bool {
    let parameters = request.path_parameters_ref();
    is_filled(template, |name| parameters.and_then(|parameters| parameters.first(name)), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_an_api_are_known() {
        for own in [
            "abcdef123.execute-api.us-east-1.amazonaws.com",
            "abcdef123-vpce-0a1b.execute-api.eu-west-1.amazonaws.com",
            "abcdef123.Execute-API.cn-north-1.amazonaws.com.cn",
        ] {
            assert!(is_of_api(own), "{own}");
        }
        for other in ["api.example.com", "execute-api.example.com", "localhost", ""] {
            assert!(!is_of_api(other), "{other}");
        }
    }

    #[test]
    fn a_path_is_the_one_that_was_sent() {
        let check =
            |sent, raw, template| check_sent(sent, "prod", raw, template).map_err(|error| error.kind()).err();
        for (sent, raw) in [
            ("/prod/a", "/a"),
            ("/a", "/a"),
            ("/prod", "/"),
            ("/prod/", "/"),
            ("/", "/"),
            ("/prod/a//b/", "/a//b/"),
        ] {
            assert_eq!(check(sent, raw, None), None, "{sent} {raw}");
        }
        for (sent, raw, kind) in [
            ("/prod//a", "/a", RejectionKind::InvalidTarget),
            ("//prod/a", "/a", RejectionKind::InvalidTarget),
            ("/prod/b", "/a", RejectionKind::TargetMoved),
            ("/prod/%61", "/a", RejectionKind::TargetMoved),
            ("/producta", "/a", RejectionKind::TargetMoved),
            ("/prod/a/", "/a", RejectionKind::TargetMoved),
            ("/prod", "/a", RejectionKind::TargetMoved),
            ("", "/a", RejectionKind::TargetMoved),
        ] {
            assert_eq!(check(sent, raw, None), Some(kind), "{sent} {raw}");
        }
        assert_eq!(check("/{proxy+}", "/a", Some("/{proxy+}")), None);
        assert_eq!(check("/{proxy+}", "/a", Some("/{path+}")), Some(RejectionKind::TargetMoved));
        assert_eq!(check("/b", "/a", Some("/b")), Some(RejectionKind::TargetMoved));
    }

    #[test]
    fn a_stage_before_the_path_is_seen() {
        for (path, raw, expected) in [
            ("/prod/v1/a", "/v1/a", true),
            ("/prod//v1/a", "/v1/a", true),
            ("/v1/a", "/v1/a", false),
            ("/prod/prod/a", "/prod/a", true),
            ("/prod/a", "/prod/a", false),
            ("/production/a", "/a", false),
        ] {
            assert_eq!(has_stage(path, "prod", raw), expected, "{path} {raw}");
        }
    }
}
