//! Whoever says where a request comes from.

use super::harness::{STAGE, Server, Setup};
use super::tally::Tally;
use super::wire::head;

/// Allows one network only; or denies everything but it.
fn policy(effect: &str, operator: &str) -> String {
    let allow = format!(r#"{{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"{STAGE}*"}},"#);
    let statement = format!(
        r#"{{"Effect":"{effect}","Action":"execute-api:Invoke","Resource":"{STAGE}*",
            "Condition":{{"{operator}":{{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}}}}}"#
    );
    let allow = if effect == "Deny" { &allow } else { "" };
    format!(r#"{{"Version":"2012-10-17","Statement":[{allow}{statement}]}}"#)
}

fn servers(proxies: &'static [&'static str]) -> [(Server, u16); 2] {
    let serve = |policy: String| {
        let setup = Setup::default().policy_of(move |_| policy.clone());
        setup.layer(|layer| layer.with_trusted_proxies(proxies.iter().copied())).serve_directly()
    };
    [(serve(policy("Allow", "IpAddress")), 403), (serve(policy("Deny", "NotIpAddress")), 500)]
}

#[test]
fn nobody_is_where_a_header_says() {
    let mut tally = Tally::of("forwarded headers", 18);
    for (server, _) in servers(&[]) {
        for (header, value) in [
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Forwarded-For", "192.0.2.1, 127.0.0.1"),
            ("X-Forwarded-For", "2001:db8::1"),
            ("Forwarded", "for=192.0.2.1"),
            ("Forwarded", "for=\"[2001:db8::1]\""),
            ("X-Real-IP", "192.0.2.1"),
            ("X-Client-IP", "192.0.2.1"),
            ("X-Cluster-Client-IP", "192.0.2.1"),
            ("X-Originating-IP", "192.0.2.1"),
            ("X-Remote-IP", "192.0.2.1"),
            ("X-Remote-Addr", "192.0.2.1"),
            ("X-ProxyUser-Ip", "192.0.2.1"),
            ("True-Client-IP", "192.0.2.1"),
            ("CF-Connecting-IP", "192.0.2.1"),
            ("Fastly-Client-IP", "192.0.2.1"),
            ("X-Envoy-External-Address", "192.0.2.1"),
            ("Client-IP", "192.0.2.1"),
            ("SourceIp", "192.0.2.1"),
        ] {
            let answer = server.ask_with("GET", "/admin", &[(header, value.as_bytes())]);
            assert_eq!(answer.status, 403, "{header}: {value}");
            tally.refused(&server.world, format!("{header}: {value}"));
        }
    }
}

#[test]
fn a_proxy_is_believed_about_its_neighbour_and_no_further() {
    let mut tally = Tally::of("forwarded headers behind trusted proxies", 24);
    // Who is somewhere else, and who is nobody knows where.
    let elsewhere: &[&[&str]] = &[
        &["192.0.2.1, 198.51.100.1"],
        &["192.0.2.1", "198.51.100.1"],
        &["198.51.100.1, 10.1.2.3"],
        &["192.0.2.1,198.51.100.1,10.1.2.3 , 10.1.2.4"],
        &["127.0.0.1"],
        &["10.1.2.3"],
        &["192.0.2.1, ::ffff:198.51.100.1"],
        &["192.0.2.1, 2001:db9::1"],
    ];
    let unknown: &[&[&str]] = &[
        &[],
        &[""],
        &["192.0.2.1,"],
        &["192.0.2.1", ""],
        &["192.0.2.1, unknown"],
        &["192.0.2.1, _hidden"],
        &["192.0.2.1:80"],
        &["[2001:db8::1]"],
        &["[2001:db8::1]:80"],
        &["192.0.2.01"],
        &["192.0.2"],
        &["0xC0000201"],
        &["3221225985"],
        &["192.0.2.1; 192.0.2.1"],
        &["\"192.0.2.1\""],
        &["for=192.0.2.1"],
    ];
    for (server, unknowable) in servers(&["127.0.0.0/8", "10.0.0.0/8"]) {
        let rows = elsewhere.iter().map(|fields| (fields, 403));
        for (fields, status) in rows.chain(unknown.iter().map(|fields| (fields, unknowable))) {
            let mut headers: Vec<(&str, &[u8])> = vec![("Host", b"x"), ("Authorization", b"ok")];
            headers.extend(fields.iter().map(|field| ("X-Forwarded-For", field.as_bytes())));
            let answer = server.send(&head("GET", b"/admin", &headers));
            assert_eq!(answer.status, status, "{fields:?}");
            tally.refused(&server.world, format!("{fields:?}"));
        }
        for field in ["192.0.2.1", "198.51.100.1, 192.0.2.1", "192.0.2.1,10.1.2.3", "::ffff:192.0.2.1"] {
            let answer = server.ask_with("GET", "/admin", &[("X-Forwarded-For", field.as_bytes())]);
            assert_eq!((answer.status, server.world.take_calls().len()), (200, 1), "{field}");
        }
    }
}
