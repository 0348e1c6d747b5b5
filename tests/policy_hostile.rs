//! Policies that somebody made to hurt: patterns that take others seconds, deep and giant texts, and malformed
//! documents with the place at which the mistake has to be reported.
//!
//! No test here measures time. An evaluator that backtracks or recurses would not come to an end, or not survive.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tower_lambda_authorizer::policy::{
    AccessRequest, ConditionContext, ConditionKey, ConditionValue, Decision, PolicyDocument, StageArn,
};

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/";
const LONGEST_RESOURCE: usize = 512;
const LONGEST_ARN: usize = 1600;

/// Every key has this one value.
struct Every<'a>(&'a str);

impl ConditionContext for Every<'_> {
    fn value(&self, _: &ConditionKey) -> ConditionValue<'_> {
        ConditionValue::from(self.0)
    }
}

fn decide_with(policy: &Value, path: &str, value: &str) -> Decision {
    let policy = PolicyDocument::from_json(&policy.to_string()).unwrap();
    let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef", "prod").unwrap();
    let context = Every(value);
    policy.bind(&stage).evaluate(&AccessRequest::new("GET", path).with_context(&context)).decision()
}

fn decide(policy: &Value, path: &str) -> Decision {
    decide_with(policy, path, "")
}

fn statement(effect: &str, resource: &str) -> Value {
    json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
}

fn allow(resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [statement("Allow", resource)]})
}

fn allow_if(condition: Value) -> Value {
    let mut policy = allow("*");
    policy["Statement"][0]["Condition"] = condition;
    policy
}

/// A path that makes the ARN as long as one may be, of `a`s up to its `last` character.
fn longest_path(last: char) -> String {
    let fixed = format!("{STAGE}GET/").len();
    format!("/{}{last}", "a".repeat(LONGEST_ARN - fixed - 1))
}

/// A resource as long as one may be: as often as it fits, `unit`, and then `end`.
fn longest_resource(unit: &str, end: &str) -> String {
    let fixed = format!("{STAGE}GET/");
    let times = (LONGEST_RESOURCE - fixed.len() - end.len()) / unit.len();
    format!("{fixed}{}{end}", unit.repeat(times))
}

// ---------------------------------------------------------------- wildcards

#[test]
fn twelve_stars_against_thirty_letters() {
    let pattern = format!("{STAGE}GET/{}b", "*a".repeat(12));
    assert_eq!(decide(&allow(&pattern), &format!("/{}", "a".repeat(30))), Decision::ImplicitDeny);
    assert_eq!(decide(&allow(&pattern), &format!("/{}b", "a".repeat(30))), Decision::Allow);
}

#[test]
fn the_longest_patterns_against_the_longest_arn() {
    for unit in ["*", "**a", "*a", "*aa", "*a?", "?*", "*?", "a*", "*aaaaaaaaaaaaaaaa"] {
        let pattern = longest_resource(unit, "b");
        assert_eq!(decide(&allow(&pattern), &longest_path('b')), Decision::Allow, "{unit}");
        assert_eq!(decide(&allow(&pattern), &longest_path('a')), Decision::ImplicitDeny, "{unit}");
    }
    let questions = longest_resource("?", "");
    let exactly = "a".repeat(questions.matches('?').count());
    assert_eq!(decide(&allow(&questions), &format!("/{exactly}")), Decision::Allow);
    assert_eq!(decide(&allow(&questions), &format!("/{exactly}a")), Decision::ImplicitDeny);
    assert_eq!(decide(&allow(&questions), &longest_path('a')), Decision::ImplicitDeny);
}

#[test]
fn a_pattern_of_512_wildcards_from_its_first_character() {
    assert_eq!(decide(&allow(&"*".repeat(LONGEST_RESOURCE)), &longest_path('a')), Decision::Allow);
    // Its one field is longer than `arn`.
    assert_eq!(decide(&allow(&"?".repeat(LONGEST_RESOURCE)), &longest_path('a')), Decision::ImplicitDeny);
    assert_eq!(
        decide(&allow(&"*?".repeat(LONGEST_RESOURCE / 2)), &longest_path('a')),
        Decision::ImplicitDeny
    );
}

#[test]
fn one_long_run_behind_a_star_against_almost_that_run() {
    let pattern = format!("{STAGE}GET/*{}b", "a".repeat(400));
    assert_eq!(decide(&allow(&pattern), &longest_path('a')), Decision::ImplicitDeny);
    assert_eq!(decide(&allow(&pattern), &longest_path('b')), Decision::Allow);
}

#[test]
fn a_thousand_patterns_full_of_stars() {
    let statements: Vec<Value> = (0..1_000)
        .map(|number| statement("Allow", &format!("{STAGE}GET/{}{number}", "*a".repeat(100))))
        .collect();
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    assert_eq!(decide(&policy, &longest_path('a')), Decision::ImplicitDeny);
    assert_eq!(decide(&policy, &format!("{}999", longest_path('a'))), Decision::Allow);
}

#[test]
fn wildcards_of_conditions_against_a_giant_value() {
    let value = "a".repeat(20_000);
    for (pattern, expected) in [
        ("*a".repeat(2_000) + "b", Decision::ImplicitDeny),
        ("*a".repeat(2_000), Decision::Allow),
        (format!("*{}b", "a".repeat(200)), Decision::ImplicitDeny),
        ("*".repeat(20_000), Decision::Allow),
        ("?".repeat(20_000), Decision::Allow),
        ("?".repeat(19_999), Decision::ImplicitDeny),
    ] {
        let policy = allow_if(json!({"StringLike": {"app:key": pattern}}));
        assert_eq!(decide_with(&policy, "/x", &value), expected);
    }
}

/// The agent and the referer of a client.
struct Headers<'a>(&'a str, &'a str);

impl ConditionContext for Headers<'_> {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        ConditionValue::from(if *key == ConditionKey::Referer { self.1 } else { self.0 })
    }
}

/// Here both sides grow, and with a variable the client writes both of them.
#[test]
fn giant_patterns_of_conditions_against_a_giant_value() {
    let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef", "prod").unwrap();
    let decide = |pattern: &str, agent: &str, referer: &str| {
        let policy = allow_if(json!({"StringLike": {"aws:Referer": pattern}}));
        let policy = PolicyDocument::from_json(&policy.to_string()).unwrap().bind(&stage);
        let context = Headers(agent, referer);
        policy.evaluate(&AccessRequest::new("GET", "/x").with_context(&context)).decision()
    };
    let (half, whole) = ("a".repeat(200_000), "a".repeat(400_000));
    let with_end = |text: &str| format!("{text}é");
    for pattern in ["*${aws:UserAgent}*", "*é${aws:UserAgent}*", "*${aws:UserAgent}a"] {
        assert_eq!(decide(pattern, &format!("{half}b"), &whole), Decision::ImplicitDeny);
        assert_eq!(decide(pattern, &format!("{half}b"), &with_end(&whole)), Decision::ImplicitDeny);
    }
    assert_eq!(decide("*${aws:UserAgent}*", &with_end(&half), &with_end(&whole)), Decision::Allow);
    for pattern in [format!("*{half}b"), format!("*{half}b*"), format!("*é{half}b*")] {
        assert_eq!(decide(&pattern, "", &with_end(&whole)), Decision::ImplicitDeny);
    }
    // With `?` in it the time is divided by 64 only.
    let (half, whole) = (&half[..20_000], &whole[..40_000]);
    for pattern in [format!("*a?{half}b*"), format!("*?{half}éb*")] {
        assert_eq!(decide(&pattern, "", whole), Decision::ImplicitDeny);
        assert_eq!(decide(&pattern, "", &with_end(whole)), Decision::ImplicitDeny);
    }
    assert_eq!(decide(&format!("*a?{half}*?"), "", &with_end(whole)), Decision::Allow);
}

#[test]
fn wildcards_of_arn_conditions_against_a_giant_value() {
    let value = format!("arn:aws:sns:us-east-1:1:{}", "a".repeat(20_000));
    for (end, expected) in [("b", Decision::ImplicitDeny), ("", Decision::Allow)] {
        let pattern = format!("arn:*:*:*:*:{}{end}", "*a".repeat(2_000));
        let policy = allow_if(json!({"ArnLike": {"app:key": pattern}}));
        assert_eq!(decide_with(&policy, "/x", &value), expected);
    }
}

#[test]
fn a_resource_that_is_nothing_but_variables() {
    let fixed = format!("{STAGE}GET/");
    let count = (LONGEST_RESOURCE - fixed.len()) / "${a:b}".len();
    let pattern = format!("{fixed}{}", "${a:b}".repeat(count));
    let value = "xy".repeat(50);
    assert_eq!(decide_with(&allow(&pattern), &format!("/{}", value.repeat(count)), &value), Decision::Allow);
    assert_eq!(decide_with(&allow(&pattern), "/x", &value), Decision::ImplicitDeny);
}

// ---------------------------------------------------------------- size

/// A client chooses what is put in, and the policy how often. None of it is made that is longer than the request.
#[test]
fn variables_do_not_multiply() {
    let value = "@a".repeat(4096);
    let many = "${aws:UserAgent}".repeat(25);
    for (resource, expected) in [
        (format!("{STAGE}GET/{many}"), Decision::Allow),
        (format!("arn:*?????????????:a:b:c:%40{many}/"), Decision::Allow),
        (format!("arn:*?????????????:a:b:c:*{many}"), Decision::Allow),
    ] {
        let mut statements = vec![statement("Allow", "*")];
        statements.extend((0..400).map(|_| statement("Deny", &resource)));
        statements
            .extend((0..400).map(
                |_| json!({"Effect": "Allow", "Action": "execute-api:Invoke", "NotResource": resource}),
            ));
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        assert_eq!(decide_with(&policy, "/a%40b", &value), expected, "{resource}");
    }
    let many = "${aws:UserAgent}".repeat(15_600);
    for (operator, decision) in [
        ("StringLike", Decision::ImplicitDeny),
        ("StringNotLike", Decision::Allow),
        ("StringEquals", Decision::ImplicitDeny),
        ("StringEqualsIgnoreCase", Decision::ImplicitDeny),
    ] {
        let policy = allow_if(json!({operator: {"x:k": many}}));
        assert_eq!(decide_with(&policy, "/a", &value), decision, "{operator}");
    }
}

/// As long as the request, and no longer, is what can cover it.
#[test]
fn variables_fill_a_request_to_its_last_byte() {
    for length in [1, 2, 500, 1500] {
        let value = "@a".repeat(length).split_off(length);
        let path = format!("/{}", value);
        for (denied, expected) in [
            ("GET/${x:k}", Decision::ExplicitDeny),
            ("GET/${x:k}/", Decision::ExplicitDeny),
            ("GET/*${x:k}*", Decision::ExplicitDeny),
            ("GET/%47*${x:k}", Decision::Allow),
            ("GET/${x:k}?", Decision::Allow),
            ("GET/?${x:k}", Decision::Allow),
        ] {
            let deny = statement("Deny", &format!("{STAGE}{denied}"));
            let policy = json!({"Version": "2012-10-17", "Statement": [statement("Allow", "*"), deny]});
            assert_eq!(decide_with(&policy, &path, &value), expected, "{denied} {length}");
        }
    }
    // What is escaped takes three bytes of the pattern, and one of the path.
    let deny = statement("Deny", &format!("{STAGE}GET/{}${{x:k}}", "%40".repeat(130)));
    let policy = json!({"Version": "2012-10-17", "Statement": [statement("Allow", "*"), deny]});
    assert_eq!(decide_with(&policy, &format!("/{}a", "@".repeat(130)), "a"), Decision::ExplicitDeny);
    assert_eq!(decide_with(&policy, &format!("/{}a", "@".repeat(129)), "a"), Decision::Allow);
    // In another case a letter may have another length.
    for (value, wanted) in [("k", "${x:k}\u{212A}"), ("\u{212A}", "k${x:k}"), ("\u{130}", "${x:k}i\u{307}")] {
        let policy = allow_if(json!({"StringEqualsIgnoreCase": {"x:k": wanted}}));
        assert_eq!(decide_with(&policy, "/a", value), Decision::ImplicitDeny, "{wanted}: twice as much");
    }
}

#[test]
fn no_letter_has_two_lower_cases() {
    for (value, wanted) in
        [("ΟΔΟΣ", "οδοσ"), ("οδοσ", "ΟΔΟΣ"), ("οδος", "ΟΔΟΣ"), ("οδοσ", "οδος"), ("ΟΣ α", "οσ Α")]
    {
        let policy = allow_if(json!({"StringEqualsIgnoreCase": {"x:k": wanted}}));
        assert_eq!(decide_with(&policy, "/a", value), Decision::Allow, "{value} {wanted}");
    }
    let policy = allow_if(json!({"StringEqualsIgnoreCase": {"x:k": "οδοσ"}}));
    assert_eq!(decide_with(&policy, "/a", "οδοτ"), Decision::ImplicitDeny);
}

#[test]
fn ten_thousand_statements() {
    let item = |number: usize| statement("Allow", &format!("{STAGE}GET/item-{number}"));
    let mut statements: Vec<Value> = (0..10_000).map(item).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    assert_eq!(decide(&policy, "/item-0"), Decision::Allow);
    assert_eq!(decide(&policy, "/item-9999"), Decision::Allow);
    assert_eq!(decide(&policy, "/item-10000"), Decision::ImplicitDeny);
    statements.insert(5_000, statement("Deny", &format!("{STAGE}GET/item-9*")));
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    assert_eq!(decide(&policy, "/item-9999"), Decision::ExplicitDeny);
    assert_eq!(decide(&policy, "/item-8999"), Decision::Allow);
}

#[test]
fn ten_thousand_resources_actions_and_values() {
    let list = |make: &dyn Fn(usize) -> String| (0..10_000).map(make).collect::<Vec<_>>();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": list(&|number| format!("execute-api:{}", if number == 9_999 { "Invoke" } else { "Other" })),
            "Resource": list(&|number| format!("{STAGE}GET/item-{number}")),
            "Condition": {"StringEquals": {"app:key": list(&|number| format!("value-{number}"))}},
        },
    });
    assert_eq!(decide_with(&policy, "/item-9999", "value-9999"), Decision::Allow);
    assert_eq!(decide_with(&policy, "/item-9999", "value-10000"), Decision::ImplicitDeny);
    assert_eq!(decide_with(&policy, "/item-10000", "value-9999"), Decision::ImplicitDeny);
}

#[test]
fn ten_thousand_condition_keys() {
    let mut keys = json!({});
    for number in 0..10_000 {
        keys[format!("app:key-{number}")] = json!("same");
    }
    let policy = allow_if(json!({"StringEquals": keys}));
    assert_eq!(decide_with(&policy, "/x", "same"), Decision::Allow);
    assert_eq!(decide_with(&policy, "/x", "other"), Decision::ImplicitDeny);
}

#[test]
fn giant_texts_where_any_text_may_stand() {
    let giant = "é".repeat(500_000);
    let policy = json!({
        "Version": "2012-10-17",
        "Id": giant,
        "Statement": [{
            "Sid": giant,
            "Effect": "Allow",
            "Action": ["execute-api:Invoke", format!("x:{giant}")],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"app:key": giant},
                "StringNotEquals": {format!("app:{giant}"): "x"},
                "StringEqualsIgnoreCase": {"app:key": giant.to_uppercase()},
            },
        }],
    });
    assert_eq!(decide_with(&policy, "/x", &giant), Decision::Allow);
    assert_eq!(decide_with(&policy, "/x", "é"), Decision::ImplicitDeny);
}

#[test]
fn giant_literals() {
    let digits = "9".repeat(100_000);
    let policy = allow_if(json!({"NumericLessThan": {"app:key": format!("{digits}.{digits}")}}));
    assert_eq!(decide_with(&policy, "/x", &format!("{digits}.{}", &digits[1..])), Decision::Allow);
    assert_eq!(decide_with(&policy, "/x", &format!("{digits}.{digits}")), Decision::ImplicitDeny);
    let text = "AAAA".repeat(100_000);
    let policy = allow_if(json!({"BinaryEquals": {"app:key": text}}));
    assert_eq!(decide_with(&policy, "/x", &"\0".repeat(300_000)), Decision::Allow);
    assert_eq!(decide_with(&policy, "/x", &"\0".repeat(299_999)), Decision::ImplicitDeny);
}

#[test]
fn giant_request_values_of_every_operator() {
    let giant = "1".repeat(1_000_000);
    for (operator, literal, expected) in [
        ("NumericGreaterThan", "5", Decision::Allow),
        ("DateNotEquals", "2024-05-01", Decision::ImplicitDeny),
        ("NotIpAddress", "10.0.0.0/8", Decision::ImplicitDeny),
        ("Bool", "true", Decision::ImplicitDeny),
        ("ArnNotLike", "arn:*:*:*:*:*", Decision::ImplicitDeny),
        ("StringNotLike", "2*", Decision::Allow),
    ] {
        let policy = allow_if(json!({operator: {"app:key": literal}}));
        assert_eq!(decide_with(&policy, "/x", &giant), expected, "{operator}");
    }
}

#[test]
fn a_default_that_fills_the_whole_resource() {
    let fixed = format!("{STAGE}GET/${{a:b, '");
    let default = "*".repeat(LONGEST_RESOURCE - fixed.len() - 2);
    let policy = allow(&format!("{fixed}{default}'}}"));
    assert_eq!(decide(&policy, "/x"), Decision::ImplicitDeny);
}

// ---------------------------------------------------------------- malformed texts

/// Reads a malformed text and gives the place of the mistake.
fn location(text: &str) -> String {
    match PolicyDocument::from_json(text) {
        Ok(_) => panic!("accepted: {}", &text[..text.len().min(300)]),
        Err(error) => error.location().to_owned(),
    }
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    for depth in [100, 10_000, 1_000_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        location(&open);
        location(&format!("{open}{close}"));
        location(&format!(r#"{{"Statement":{open}{close}}}"#));
        location(&format!(r#"{{"Statement":[{{"Effect":"Allow","Action":{open}{close},"Resource":"*"}}]}}"#));
        let mut objects = String::new();
        for _ in 0..depth {
            objects.push_str(r#"{"StringEquals":"#);
        }
        location(&format!(r#"{{"Statement":[{{"Condition":{objects}"#));
        location(&format!(r#"{{"Other":{open}{close}}}"#));
    }
}

#[test]
fn giant_texts_where_none_may_stand() {
    let giant = "x".repeat(5_000_000);
    let resource =
        |text: &str| format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"{text}"}}]}}"#);
    assert_eq!(location(&resource(&giant)), "Statement[0].Resource");
    assert_eq!(location(&resource(&format!("arn:{giant}"))), "Statement[0].Resource");
    assert_eq!(location(&resource(&"*".repeat(5_000_000))), "Statement[0].Resource");
    assert_eq!(location(&format!(r#"{{"Version":"{giant}"}}"#)), "Version");
    assert_eq!(location(&format!(r#"{{"Statement":[{{"Effect":"{giant}"}}]}}"#)), "Statement[0].Effect");
    location(&format!(r#"{{"{giant}":1}}"#));
    location(&format!(r#"{{"Statement":[{{"{giant}":1}}]}}"#));
    location(&giant);
    location(&" ".repeat(5_000_000));
    location(&format!("{}{}", r#"{"Id":"a","Statement":[]"#, r#","Id":"a""#.repeat(100_000)));
}

/// Messages quote what they found; they must not grow with it.
#[test]
fn messages_stay_short() {
    let giant = "x".repeat(1_000_000);
    let statement = |condition: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"Bool":{{{condition}}}}}}}}}"#
        )
    };
    for text in [
        format!(r#"{{"Version":"{giant}"}}"#),
        format!(r#"{{"{giant}":1}}"#),
        format!(r#"{{"Statement":[{{"{giant}":1}}]}}"#),
        format!(r#"{{"Statement":[{{"Effect":"{giant}"}}]}}"#),
        format!(r#"{{"Statement":[{{"Action":"{giant}"}}]}}"#),
        format!(r#"{{"Statement":[{{"Resource":"{giant}"}}]}}"#),
        format!(r#"{{"Statement":[{{"Condition":{{"{giant}":{{"a:b":"c"}}}}}}]}}"#),
        statement(&format!(r#""{giant}":"c""#)),
        statement(&format!(r#""a:b":"{giant}""#)),
    ] {
        let message = PolicyDocument::from_json(&text).unwrap_err().to_string();
        assert!(message.len() < 1_000, "{} characters", message.len());
    }
}

/// Messages end up in logs: what they quote must not start a line of its own or move the cursor.
#[test]
fn messages_are_printable() {
    let ugly = r"x\n\u001b[2J\u007f\u0085\u0000";
    for text in [
        r#"{"Version":"~"}"#,
        r#"{"~":1}"#,
        r#"{"Statement":[{"~":1}]}"#,
        r#"{"Statement":[{"Effect":"~"}]}"#,
        r#"{"Statement":[{"Action":"~"}]}"#,
        r#"{"Statement":[{"Resource":["*","~"]}]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:r:1:a/${~"}}"#,
        r#"{"Statement":[{"Condition":{"~":{"a:b":"c"}}}]}"#,
        r#"{"Statement":[{"Condition":{"Bool":{"~":[]}}}]}"#,
        r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"~":"c"}}}]}"#,
        r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"a:b":"~"}}}]}"#,
    ] {
        let error = PolicyDocument::from_json(&text.replace('~', ugly)).unwrap_err();
        for shown in [error.to_string(), error.location().to_owned(), error.message().to_owned()] {
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
        }
    }
}

/// Every prefix of a document is malformed, and so is the document with any one character more behind it.
#[test]
fn no_part_of_a_document_is_a_document() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["execute-api:Invoke"],"Resource":"*","Condition":{"Bool":{"a:b":true},"NumericEquals":{"a:c":[1,"2"]}}}]}"#;
    assert!(PolicyDocument::from_json(text).is_ok());
    for end in 0..text.len() {
        location(&text[..end]);
    }
    for more in ["}", "]", ",", "\"", "0", "x", "\0", "{}", "\u{feff}"] {
        location(&format!("{text}{more}"));
    }
}

/// What is wrong with a document, and where.
const DOCUMENTS: &[(&str, &str)] = &[
    ("", ""),
    ("x", ""),
    ("null", ""),
    ("[]", ""),
    ("17", ""),
    ("\"*\"", ""),
    ("{", ""),
    ("{}", ""),
    (r#"{"Version":"2012-10-17"}"#, ""),
    (r#"{"Statement":[],"Statement":[]}"#, ""),
    (r#"{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}"#, ""),
    (r#"{"Id":"a","Id":"b","Statement":[]}"#, ""),
    (r#"{"version":"2012-10-17","Statement":[]}"#, ""),
    (r#"{"statement":[]}"#, ""),
    (r#"{"Comment":"x","Statement":[]}"#, ""),
    (r#"{"":"x","Statement":[]}"#, ""),
    (r#"{"Version":"2012-10-18","Statement":[]}"#, "Version"),
    (r#"{"Version":"","Statement":[]}"#, "Version"),
    (r#"{"Version":null,"Statement":[]}"#, "Version"),
    (r#"{"Version":20121017,"Statement":[]}"#, "Version"),
    (r#"{"Version":["2012-10-17"],"Statement":[]}"#, "Version"),
    (r#"{"Id":null,"Statement":[]}"#, "Id"),
    (r#"{"Id":{},"Statement":[]}"#, "Id"),
    (r#"{"Id":7,"Statement":[]}"#, "Id"),
    (r#"{"Statement":null}"#, "Statement"),
    (r#"{"Statement":"Allow"}"#, "Statement"),
    (r#"{"Statement":true}"#, "Statement"),
    (r#"{"Statement":{}}"#, "Statement"),
    (r#"{"Statement":{"Effect":"allow"}}"#, "Statement.Effect"),
    (r#"{"Statement":[null]}"#, "Statement[0]"),
    (r#"{"Statement":["Allow"]}"#, "Statement[0]"),
    (r#"{"Statement":[[]]}"#, "Statement[0]"),
    (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{}]}"#, "Statement[1]"),
    (r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},7]}"#, "Statement[1]"),
];

/// The members of the second statement of an otherwise good document, and where the mistake is behind `Statement[1]`.
const STATEMENTS: &[(&str, &str)] = &[
    (r#""Action":"*","Resource":"*""#, ""),
    (r#""Effect":"Allow","Resource":"*""#, ""),
    (r#""Effect":"Allow","Action":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Effect":"Deny""#, ""),
    (r#""Effect":"Allow","Action":"*","Action":"*","Resource":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Resource":"*""#, ""),
    (r#""Sid":"a","Sid":"a","Effect":"Allow","Action":"*","Resource":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{},"Condition":{}"#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Principal":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","NotPrincipal":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Comment":"x""#, ""),
    (r#""effect":"Allow","Action":"*","Resource":"*""#, ""),
    (r#""Effect":"Allow","ACTION":"*","Resource":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resources":"*""#, ""),
    (r#""Effect":"Allow","Action":"*","Resource":"*","Condition ":{}"#, ""),
    (r#""Effect":"allow""#, ".Effect"),
    (r#""Effect":"Allow ""#, ".Effect"),
    (r#""Effect":"""#, ".Effect"),
    (r#""Effect":null"#, ".Effect"),
    (r#""Effect":["Allow"]"#, ".Effect"),
    (r#""Effect":true"#, ".Effect"),
    (r#""Sid":null"#, ".Sid"),
    (r#""Sid":1"#, ".Sid"),
    (r#""Sid":["a"]"#, ".Sid"),
    (r#""Action":"Invoke""#, ".Action"),
    (r#""Action":"""#, ".Action"),
    (r#""Action":null"#, ".Action"),
    (r#""Action":{}"#, ".Action"),
    (r#""Action":["*","Invoke"]"#, ".Action[1]"),
    (r#""Action":["*",null]"#, ".Action[1]"),
    (r#""Action":[["*"]]"#, ".Action[0]"),
    (r#""NotAction":[]"#, ".NotAction"),
    (r#""NotAction":"Invoke""#, ".NotAction"),
    (r#""Action":"*","NotAction":"s3:*""#, ".NotAction"),
    (r#""NotAction":"s3:*","Action":"*""#, ".Action"),
    (r#""Resource":"""#, ".Resource"),
    (r#""Resource":"GET/x""#, ".Resource"),
    (r#""Resource":"arn*""#, ".Resource"),
    (r#""Resource":null"#, ".Resource"),
    (r#""Resource":{"Fn::Sub":"x"}"#, ".Resource"),
    (r#""Resource":["*","*",""]"#, ".Resource[2]"),
    (r#""Resource":["*",7]"#, ".Resource[1]"),
    (r#""Resource":[["*"]]"#, ".Resource[0]"),
    (r#""NotResource":[]"#, ".NotResource"),
    (r#""NotResource":"x""#, ".NotResource"),
    (r#""NotResource":["*","x"]"#, ".NotResource[1]"),
    (r#""Resource":"*","NotResource":"*""#, ".NotResource"),
    (r#""NotResource":"*","Resource":"*""#, ".Resource"),
    (r#""Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:r:1:a/${x""#, ".Resource"),
    (r#""Effect":"Allow","Action":"*","Resource":["*","arn:aws:execute-api:r:1:a/${}"]"#, ".Resource[1]"),
    (r#""Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:${x}:1:a/b""#, ".Resource"),
    (r#""Effect":"Deny","Action":"*","NotResource":"arn:aws:execute-api:r:1:a/${x, y}""#, ".NotResource"),
    (r#""Condition":null"#, ".Condition"),
    (r#""Condition":[]"#, ".Condition"),
    (r#""Condition":"x""#, ".Condition"),
];

/// The condition of a statement, and where the mistake is behind `Condition`.
const CONDITIONS: &[(&str, &str)] = &[
    (r#"{"stringEquals":{"a:b":"c"}}"#, ""),
    (r#"{"StringEqualsIfExist":{"a:b":"c"}}"#, ""),
    (r#"{"NullIfExists":{"a:b":"true"}}"#, ""),
    (r#"{"ForAnyValue:":{"a:b":"c"}}"#, ""),
    (r#"{"ForAny:StringEquals":{"a:b":"c"}}"#, ""),
    (r#"{"":{"a:b":"c"}}"#, ""),
    (r#"{"Bool":{"a:b":"true"},"Bool":{"a:c":"true"}}"#, ""),
    (r#"{"StringEquals":{}}"#, ".StringEquals"),
    (r#"{"StringEquals":null}"#, ".StringEquals"),
    (r#"{"StringEquals":[]}"#, ".StringEquals"),
    (r#"{"StringEquals":"c"}"#, ".StringEquals"),
    (r#"{"StringEquals":{"a:b":"c","a:b":"c"}}"#, ".StringEquals"),
    (r#"{"StringEquals":{"a:b":"c","A:B":"c"}}"#, ".StringEquals"),
    (r#"{"StringEquals":{"a:b":[]}}"#, ".StringEquals.a:b"),
    (r#"{"StringEquals":{"a:b":null}}"#, ".StringEquals.a:b"),
    (r#"{"StringEquals":{"a:b":{}}}"#, ".StringEquals.a:b"),
    (r#"{"StringEquals":{"a:b":["c",null]}}"#, ".StringEquals.a:b"),
    (r#"{"StringEquals":{"a:b":["c",["d"]]}}"#, ".StringEquals.a:b"),
    (r#"{"StringEquals":{"a:b":"${c"}}"#, ".StringEquals.a:b"),
    (r#"{"StringLike":{"a:b":["x","${}"]}}"#, ".StringLike.a:b"),
    (r#"{"NumericEquals":{"a:b":"many"}}"#, ".NumericEquals.a:b"),
    (r#"{"NumericEquals":{"a:b":[1,2,"1e3"]}}"#, ".NumericEquals.a:b"),
    (r#"{"NumericEquals":{"a:b":1e3}}"#, ".NumericEquals.a:b"),
    (r#"{"DateLessThan":{"a:b":"2024"}}"#, ".DateLessThan.a:b"),
    (r#"{"DateLessThan":{"a:b":"2024-05-01T00:00:00"}}"#, ".DateLessThan.a:b"),
    (r#"{"Bool":{"a:b":"yes"}}"#, ".Bool.a:b"),
    (r#"{"Null":{"a:b":"maybe"}}"#, ".Null.a:b"),
    (r#"{"BinaryEquals":{"a:b":"cmVkcw"}}"#, ".BinaryEquals.a:b"),
    (r#"{"IpAddress":{"a:b":"10.0.0.0/33"}}"#, ".IpAddress.a:b"),
    (r#"{"NotIpAddress":{"a:b":["10.0.0.0/8","010.0.0.1"]}}"#, ".NotIpAddress.a:b"),
    (r#"{"ForAllValues:NumericLessThan":{"a:b":"x"}}"#, ".ForAllValues:NumericLessThan.a:b"),
    (r#"{"Bool":{"a:b":"true"},"IpAddress":{"a:c":"x"}}"#, ".IpAddress.a:c"),
];

#[test]
fn every_mistake_is_reported_where_it_is() {
    let good = r#"{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}"#;
    let mut cases: Vec<(String, String)> = Vec::new();
    for (text, location) in DOCUMENTS {
        cases.push(((*text).to_owned(), (*location).to_owned()));
    }
    for (members, location) in STATEMENTS {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{good},{{{members}}}]}}"#);
        cases.push((text, format!("Statement[1]{location}")));
    }
    for (condition, location) in CONDITIONS {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}]}}"#
        );
        cases.push((text, format!("Statement[0].Condition{location}")));
    }
    assert!(cases.len() >= 80);
    let mut wrong = String::new();
    for (text, expected) in &cases {
        match PolicyDocument::from_json(text) {
            Ok(_) => writeln!(wrong, "accepted: {text}").unwrap(),
            Err(error) if error.location() != expected => {
                writeln!(wrong, "expected a mistake at `{expected}`, found `{error}`: {text}").unwrap();
            }
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
