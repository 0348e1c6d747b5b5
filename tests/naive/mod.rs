//! A second evaluator of the policy language: plain, slow, and too simple to be wrong.
//!
//! It shares no code with the library. It reads the document as a `serde_json::Value` each time it is asked, copies
//! whatever is easier to copy, matches wildcards with a table, and knows nothing of bound stages, indexes or typed
//! values. It assumes a document that the library's parser has accepted; what that parser refuses is not its business.
//!
//! The fuzz package includes this file by path, so it may use nothing but `std`, `serde` and `serde_json`.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use serde_json::Value;
use serde_json::value::RawValue;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
    Indeterminate,
}

/// What the request says about one condition key. A key that is not in the map is absent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known {
    One(String),
    Many(Vec<String>),
    Unavailable,
}

/// One question: may `method` be used on `path` of the stage?
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// `arn:aws:execute-api:…/prod/`, with its last slash.
    pub(crate) stage: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) canonical_path: Option<String>,
    /// What the client sent, where it is neither.
    pub(crate) sent_path: Option<String>,
    /// Keys in lower case.
    pub(crate) context: BTreeMap<String, Known>,
}

impl Ask {
    /// A key without any value is absent.
    fn known(&self, key: &str) -> Option<&Known> {
        self.context.get(&key.to_lowercase()).filter(|known| **known != Known::Many(Vec::new()))
    }
}

/// A truth value; `None` is "cannot be known".
type Truth = Option<bool>;

fn not(a: Truth) -> Truth {
    a.map(|a| !a)
}

fn all(values: impl IntoIterator<Item = Truth>) -> Truth {
    let values: Vec<Truth> = values.into_iter().collect();
    if values.contains(&Some(false)) {
        Some(false)
    } else if values.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn any(values: impl IntoIterator<Item = Truth>) -> Truth {
    not(all(values.into_iter().map(not)))
}

/// What became of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) deny: bool,
    /// Whether it matches; `None` is "cannot be known".
    pub(crate) matches: Option<bool>,
}

/// What becomes of every statement of the document in `text`.
pub(crate) fn outcomes(text: &str, ask: &Ask) -> Vec<Outcome> {
    let document = read(text);
    let variables = document.get("Version").and_then(Value::as_str) == Some("2012-10-17");
    let outcome = |statement: &Value| {
        let deny = statement["Effect"] == "Deny";
        let matches = all([
            action(statement),
            resource(statement, ask, variables, deny),
            conditions(statement, ask, variables),
        ]);
        Outcome { deny, matches }
    };
    list(&document["Statement"]).into_iter().map(outcome).collect()
}

/// The decision, and the index of the statement that settles it: the first of those that would.
pub(crate) fn combine(outcomes: &[Outcome]) -> (Verdict, Option<usize>) {
    let first = |deny, matches| outcomes.iter().position(|outcome| *outcome == Outcome { deny, matches });
    if let Some(index) = first(true, Some(true)) {
        return (Verdict::ExplicitDeny, Some(index));
    }
    match (first(false, Some(true)), first(true, None)) {
        (None, _) => (Verdict::ImplicitDeny, None),
        (Some(_), Some(index)) => (Verdict::Indeterminate, Some(index)),
        (Some(index), None) => (Verdict::Allow, Some(index)),
    }
}

// ---------------------------------------------------------------- reading

/// JSON as a `Value` in which numbers and booleans have become the strings they were written as.
fn read(text: &str) -> Value {
    let raw: &RawValue = serde_json::from_str(text).expect("a document that was accepted is JSON");
    let text = raw.get();
    match text.as_bytes()[0] {
        b'{' => {
            let members: HashMap<String, &RawValue> = serde_json::from_str(text).expect("an object");
            Value::Object(members.into_iter().map(|(name, raw)| (name, read(raw.get()))).collect())
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).expect("a list");
            Value::Array(items.into_iter().map(|raw| read(raw.get())).collect())
        }
        b'"' => serde_json::from_str(text).expect("a string"),
        _ => Value::String(text.to_owned()),
    }
}

/// A list, or a single value as a list of one.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn strings(value: &Value) -> Vec<&str> {
    list(value).into_iter().filter_map(Value::as_str).collect()
}

// ---------------------------------------------------------------- wildcards

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tok {
    Char(char),
    Run,
    One,
}

fn plain(text: &str) -> Vec<Tok> {
    text.chars().map(Tok::Char).collect()
}

/// `*` and `?` of a text without variables.
fn wild(text: &str) -> Vec<Tok> {
    text.chars().map(wild_char).collect()
}

fn wild_char(c: char) -> Tok {
    match c {
        '*' => Tok::Run,
        '?' => Tok::One,
        c => Tok::Char(c),
    }
}

/// Whether the whole text is matched. `reach[j]`: the pattern so far can end before character `j`.
fn glob(pattern: &[Tok], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for tok in pattern {
        let mut next = vec![false; text.len() + 1];
        for j in 0..=text.len() {
            next[j] = match tok {
                Tok::Run => reach[j] || (j > 0 && next[j - 1]),
                Tok::One => j > 0 && reach[j - 1],
                Tok::Char(c) => j > 0 && reach[j - 1] && text[j - 1] == *c,
            };
        }
        reach = next;
    }
    reach[text.len()]
}

// ---------------------------------------------------------------- actions

fn action(statement: &Value) -> Truth {
    let listed = |patterns: &Value| {
        strings(patterns).iter().any(|p| glob(&wild(&p.to_ascii_lowercase()), "execute-api:invoke"))
    };
    match statement.get("NotAction") {
        Some(patterns) => Some(!listed(patterns)),
        None => Some(listed(&statement["Action"])),
    }
}

// ---------------------------------------------------------------- variables

/// A piece of a text that may hold variables.
#[derive(Clone, Debug)]
enum Piece {
    Char(char),
    /// `${*}`, `${?}`, `${$}`: that character, literally.
    Literal(char),
    Key {
        key: String,
        default: Option<String>,
    },
}

fn pieces(text: &str, variables: bool) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if variables && let Some(inner) = rest.strip_prefix("${") {
            let (inner, after) = inside(inner);
            out.push(match inner {
                "*" => Piece::Literal('*'),
                "?" => Piece::Literal('?'),
                "$" => Piece::Literal('$'),
                _ => match inner.split_once(',') {
                    None => Piece::Key { key: inner.trim().to_owned(), default: None },
                    Some((key, default)) => {
                        let default = default.trim();
                        let default = default.strip_prefix('\'').and_then(|d| d.strip_suffix('\''));
                        let default = default.expect("a default is quoted").to_owned();
                        Piece::Key { key: key.trim().to_owned(), default: Some(default) }
                    }
                },
            });
            rest = after;
        } else {
            out.push(Piece::Char(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// What stands before the closing brace, and what follows it. A brace inside a quoted default does not close.
fn inside(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    panic!("a variable that was accepted is closed");
}

/// Why a text has no value for this request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Missing {
    /// A variable's key is absent, or has several values.
    Unresolved,
    /// A variable's key cannot be known.
    Unavailable,
}

fn value_of(key: &str, default: Option<&str>, ask: &Ask) -> Result<String, Missing> {
    match (ask.known(key), default) {
        (Some(Known::One(text)), _) => Ok(text.clone()),
        (Some(Known::Unavailable), _) => Err(Missing::Unavailable),
        (None, Some(default)) => Ok(default.to_owned()),
        (Some(Known::Many(_)) | None, _) => Err(Missing::Unresolved),
    }
}

/// The pattern for this request; variables have become literal characters.
fn resolve(text: &str, ask: &Ask, variables: bool) -> Result<Vec<Tok>, Missing> {
    let mut out = Vec::new();
    let mut missing = Vec::new();
    for piece in pieces(text, variables) {
        match piece {
            Piece::Char(c) => out.push(wild_char(c)),
            Piece::Literal(c) => out.push(Tok::Char(c)),
            Piece::Key { key, default } => match value_of(&key, default.as_deref(), ask) {
                Ok(text) => out.extend(plain(&text)),
                Err(why) => missing.push(why),
            },
        }
    }
    worst(&missing).map_or(Ok(out), Err)
}

/// A text that can never have a value is unresolved, whatever else is unknown about it.
fn worst(missing: &[Missing]) -> Option<Missing> {
    if missing.contains(&Missing::Unresolved) { Some(Missing::Unresolved) } else { missing.first().copied() }
}

// ---------------------------------------------------------------- resources

fn resource(statement: &Value, ask: &Ask, variables: bool, deny: bool) -> Truth {
    let under = |pattern: &str, spelling: Spelling, path: &str, on_missing: fn(Missing) -> Truth| {
        match resource_pattern(pattern, ask, variables, spelling) {
            Ok(pattern) => Some(resource_matches(&pattern, &ask.stage, &ask.method, path)),
            Err(why) => on_missing(why),
        }
    };
    let exact = |pattern: &str, on_missing: fn(Missing) -> Truth| {
        under(pattern, Spelling::Arn, &ask.path, on_missing)
    };
    let sent = |pattern: &str, on_missing: fn(Missing) -> Truth| {
        let path = ask.sent_path.as_deref()?;
        Some(any(
            [Spelling::Arn, Spelling::Written].map(|spelling| under(pattern, spelling, path, on_missing))
        ))
    };
    if let Some(patterns) = statement.get("NotResource") {
        if deny {
            // An entry without a value covers nothing, so the statement applies. What is excepted is so in the ARN and as it
            // was sent: by one entry, if it has variables, or by two without.
            let on_missing = |why| if why == Missing::Unresolved { Some(false) } else { None };
            let (dynamic, fixed): (Vec<&str>, Vec<&str>) =
                strings(patterns).into_iter().partition(|p| variables && p.contains("${"));
            let in_arn = any(fixed.iter().map(|p| exact(p, on_missing)));
            let as_sent = match ask.sent_path {
                Some(_) => any(fixed.iter().map(|p| sent(p, on_missing).expect("a path"))),
                None => Some(true),
            };
            let dynamic = dynamic
                .into_iter()
                .map(|p| all([exact(p, on_missing), sent(p, on_missing).unwrap_or(Some(true))]));
            return not(any(dynamic.chain([all([in_arn, as_sent])])));
        }
        // An entry without a value might have covered anything, so the statement does not apply.
        // Its wildcards may run past colons.
        let on_missing = |why| if why == Missing::Unresolved { Some(true) } else { None };
        let covered_as_text = |p: &str, variables: bool, spelling: Spelling, path: &str| {
            let (text, missing) = as_text(p, ask, variables, spelling);
            match missing {
                _ if !glob(&text, &format!("{}{}{path}", ask.stage, ask.method)) => Some(false),
                None => Some(true),
                Some(why) => on_missing(why),
            }
        };
        // It is excepted in every spelling, and with its own reserved escapes decoded.
        let covered_decoded = |p: &str, variables: bool, path: &str| {
            let fields = match resource_pattern(p, ask, variables, Spelling::Arn) {
                Ok(pattern) => {
                    let decoded = pattern.map(|field| decode_reserved(&field));
                    Some(resource_matches(&decoded, &ask.stage, &ask.method, path))
                }
                Err(why) => on_missing(why),
            };
            let (text, missing) = as_text(p, ask, variables, Spelling::Arn);
            let text = match missing {
                _ if !glob(&decode_reserved(&text), &format!("{}{}{path}", ask.stage, ask.method)) => {
                    Some(false)
                }
                None => Some(true),
                Some(why) => on_missing(why),
            };
            [fields, text]
        };
        let canonical = ask.canonical_path.as_deref().unwrap_or(&ask.path);
        return not(any(strings(patterns).into_iter().flat_map(|p| {
            let mut ways =
                vec![exact(p, on_missing), covered_as_text(p, variables, Spelling::Arn, &ask.path)];
            ways.push(under(p, Spelling::Arn, canonical, on_missing));
            ways.push(covered_as_text(p, variables, Spelling::Arn, canonical));
            for path in [Some(&*ask.path), Some(canonical), ask.sent_path.as_deref()].into_iter().flatten() {
                ways.extend(covered_decoded(p, variables, path));
            }
            if let Some(path) = &ask.sent_path {
                ways.extend(sent(p, on_missing));
                ways.extend(
                    [Spelling::Arn, Spelling::Written]
                        .map(|spelling| covered_as_text(p, variables, spelling, path)),
                );
            }
            if let Some(p) = written_out(p, ask, variables) {
                let mut paths = vec![(Spelling::Arn, ask.path.as_str()), (Spelling::Arn, canonical)];
                if let Some(path) = ask.sent_path.as_deref() {
                    paths.extend([(Spelling::Arn, path), (Spelling::Written, path)]);
                }
                for path in
                    [Some(&*ask.path), Some(canonical), ask.sent_path.as_deref()].into_iter().flatten()
                {
                    ways.extend(covered_decoded(&p, false, path));
                }
                for (spelling, path) in paths {
                    let pattern = resource_pattern(&p, ask, false, spelling).expect("no variables");
                    ways.push(Some(resource_matches(&pattern, &ask.stage, &ask.method, path)));
                    ways.push(covered_as_text(&p, false, spelling, path));
                }
            }
            ways
        })));
    }
    let patterns = strings(&statement["Resource"]);
    if !deny {
        return any(patterns
            .into_iter()
            .map(|p| exact(p, |why| if why == Missing::Unresolved { Some(false) } else { None })));
    }
    let denied_by = |p: &str, variables: bool| match resource_pattern(p, ask, variables, Spelling::Arn) {
        Ok(pattern) if denied(&pattern, ask) => Some(true),
        Ok(_) if denied_as_written(p, ask, variables) => Some(true),
        Ok(_) => denied_as_text(p, ask, variables),
        Err(_) => None,
    };
    any(patterns.into_iter().flat_map(|p| {
        let text = written_out(p, ask, variables).map(|text| denied_by(&text, false));
        [Some(denied_by(p, variables)), text].into_iter().flatten()
    }))
}

/// The pattern as if what its variables stand for had been written there, save for wildcards. `None` if one has no value.
fn written_out(pattern: &str, ask: &Ask, variables: bool) -> Option<String> {
    let mut out = String::new();
    let literal = |text: &str| text.replace('*', "%2A").replace('?', "%3F");
    for piece in pieces(pattern, variables) {
        match piece {
            Piece::Char(c) => out.push(c),
            Piece::Literal(c) => out.push_str(&literal(&c.to_string())),
            Piece::Key { key, default } => {
                out.push_str(&literal(&value_of(&key, default.as_deref(), ask).ok()?));
            }
        }
    }
    Some(out)
}

/// Whether a Deny covers the path that was sent as both were written.
fn denied_as_written(pattern: &str, ask: &Ask, variables: bool) -> bool {
    let Some(path) = &ask.sent_path else { return false };
    let Ok(pattern) = resource_pattern(pattern, ask, variables, Spelling::Written) else { return false };
    let names = names(pattern[5].last(), &ask.method, path);
    names.iter().any(|(method, path)| resource_matches(&pattern, &ask.stage, method, path))
}

/// Whether a Deny covers the request when its wildcards run past colons: pattern and ARN as plain text.
fn denied_as_text(pattern: &str, ask: &Ask, variables: bool) -> Truth {
    let (text, missing) = as_text(pattern, ask, variables, Spelling::Arn);
    let (written, _) = as_text(pattern, ask, variables, Spelling::Written);
    let decoded = decode_reserved(&text);
    let canonical = ask.canonical_path.as_deref().unwrap_or(&ask.path);
    let sent = ask.sent_path.as_deref();
    let pairs = [
        Some((&text, ask.path.as_str())),
        Some((&decoded, ask.path.as_str())),
        Some((&text, canonical)),
        Some((&decoded, canonical)),
        sent.map(|path| (&text, path)),
        sent.map(|path| (&written, path)),
        sent.map(|path| (&decoded, path)),
    ];
    let covers = pairs.into_iter().flatten().any(|(text, path)| {
        names(text.last(), &ask.method, path)
            .iter()
            .any(|(method, path)| glob(text, &format!("{}{method}{path}", ask.stage)))
    });
    if covers && missing.is_some() { None } else { Some(covers) }
}

/// A pattern with a `*` before its sixth field, as plain text: everything from there on is spelled like a path. What has
/// no value may be anything. Any other pattern covers nothing in this way that it does not cover anyhow.
fn as_text(pattern: &str, ask: &Ask, variables: bool, spelling: Spelling) -> (Vec<Tok>, Option<Missing>) {
    let before_sixth: String = pattern.splitn(6, ':').take(5).collect::<Vec<_>>().join(":");
    let Some(star) = before_sixth.find('*') else { return (Vec::new(), None) };
    let (fixed, wildcards) = pattern.split_at(star);
    let mut missing = Vec::new();
    let mut text = wild(fixed);
    text.extend(path_pattern(&pieces(wildcards, variables), ask, spelling, &mut missing));
    (text, worst(&missing))
}

/// The names under which a request is denied: other methods, and other slashes at the end.
fn names(last: Option<&Tok>, method: &str, path: &str) -> Vec<(String, String)> {
    let mut methods = vec![method.to_owned()];
    if method == "HEAD" || method == "CONNECT" {
        methods.push("GET".to_owned());
    }
    let mut paths = vec![path.to_owned()];
    if path.len() > 1 && path.ends_with('/') {
        paths.push(path[..path.len() - 1].to_owned());
    }
    if last == Some(&Tok::Char('/')) {
        paths.push(format!("{path}/"));
    }
    methods.iter().flat_map(|method| paths.iter().map(|path| (method.clone(), path.clone()))).collect()
}

/// A resource pattern for this request: six fields.
type ResourcePattern = [Vec<Tok>; 6];

fn resource_pattern(
    text: &str,
    ask: &Ask,
    variables: bool,
    spelling: Spelling,
) -> Result<ResourcePattern, Missing> {
    let mut fields: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces(text, variables) {
        if fields.len() < 6 && matches!(piece, Piece::Char(':')) {
            fields.push(Vec::new());
        } else {
            fields.last_mut().expect("never empty").push(piece);
        }
    }
    while fields.len() < 6 {
        fields.push(vec![Piece::Char('*')]);
    }
    let mut missing = Vec::new();
    let mut out: Vec<Vec<Tok>> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let (before, path) =
            if index == 5 { field.split_at(path_part(field, ask)) } else { (&field[..], &[][..]) };
        let mut toks = Vec::new();
        for piece in before {
            match piece {
                Piece::Char(c) => toks.push(wild_char(*c)),
                Piece::Literal(c) => toks.extend(plain(&spelled(&c.to_string()))),
                Piece::Key { key, default } => match value_of(key, default.as_deref(), ask) {
                    Ok(text) => toks.extend(plain(&spelled(&text))),
                    Err(why) => missing.push(why),
                },
            }
        }
        toks.extend(path_pattern(path, ask, spelling, &mut missing));
        out.push(toks);
    }
    let pattern: ResourcePattern = out.try_into().expect("six fields");
    match worst(&missing) {
        // Variables stand in the sixth field only. If another one does not match, their values do not matter.
        Some(why) if first_fields_match(&pattern, &ask.stage) => Err(why),
        _ => Ok(pattern),
    }
}

/// Where the path part of the sixth field begins: behind its third slash, or at its first wildcard. The slashes of
/// values count too.
fn path_part(field: &[Piece], ask: &Ask) -> usize {
    let mut slashes = 0;
    for (at, piece) in field.iter().enumerate() {
        match piece {
            Piece::Char('*' | '?') => return at,
            Piece::Char('/') => {
                slashes += 1;
                if slashes == 3 {
                    return at + 1;
                }
            }
            Piece::Key { key, default } => {
                let value = value_of(key, default.as_deref(), ask).unwrap_or_default();
                slashes += value.matches('/').count();
                if slashes >= 3 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    field.len()
}

const UNRESERVED_PUNCTUATION: &str = "-._~";
const RESERVED: &str = "!$&'()+,;=:@";

fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || UNRESERVED_PUNCTUATION.contains(c)
}

/// Literal text in the ARN's spelling. Nothing in it is an escape already.
fn spelled(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if is_unreserved(c) || RESERVED.contains(c) || c == '/' {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

/// How the path part of a pattern is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spelling {
    /// Brought to the ARN's spelling.
    Arn,
    /// As it stands; what variables stand for is in the ARN's spelling all the same.
    Written,
}

fn path_pattern(path: &[Piece], ask: &Ask, spelling: Spelling, missing: &mut Vec<Missing>) -> Vec<Tok> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < path.len() {
        if let (Spelling::Written, Piece::Char(c)) = (spelling, &path[at]) {
            out.push(wild_char(*c));
            at += 1;
            continue;
        }
        if let [Piece::Char('%'), Piece::Char(high), Piece::Char(low), ..] = path[at..]
            && let (Some(high), Some(low)) = (high.to_digit(16), low.to_digit(16))
        {
            let byte = u8::try_from(high * 16 + low).expect("two hexadecimal digits");
            let c = char::from(byte);
            if is_unreserved(c) {
                out.push(Tok::Char(c));
            } else {
                out.extend(plain(&format!("%{byte:02X}")));
            }
            at += 3;
            continue;
        }
        // A wildcard may be a part of the escape: then the escape stays open.
        match path[at..] {
            [Piece::Char('%'), Piece::Char('*' | '?'), ..] => {
                out.push(Tok::Char('%'));
                at += 1;
                continue;
            }
            [Piece::Char('%'), Piece::Char(high), Piece::Char('*' | '?'), ..] if high.is_ascii_hexdigit() => {
                out.extend([Tok::Char('%'), Tok::Char(high.to_ascii_uppercase())]);
                at += 2;
                continue;
            }
            _ => {}
        }
        match &path[at] {
            Piece::Char(c @ ('*' | '?')) => out.push(wild_char(*c)),
            Piece::Char(c) | Piece::Literal(c) => out.extend(plain(&spelled(&c.to_string()))),
            Piece::Key { key, default } => match value_of(key, default.as_deref(), ask) {
                Ok(text) => out.extend(plain(&spelled(&text))),
                Err(why) => {
                    missing.push(why);
                    out.push(Tok::Run);
                }
            },
        }
        at += 1;
    }
    out
}

fn resource_matches(pattern: &ResourcePattern, stage: &str, method: &str, path: &str) -> bool {
    let arn = format!("{stage}{method}{path}");
    first_fields_match(pattern, stage)
        && arn.splitn(6, ':').last().is_some_and(|sixth| glob(&pattern[5], sixth))
}

fn first_fields_match(pattern: &ResourcePattern, stage: &str) -> bool {
    pattern.iter().take(5).zip(stage.split(':')).all(|(pattern, field)| glob(pattern, field))
}

/// Whether a Deny covers the request under any of its other names.
fn denied(pattern: &ResourcePattern, ask: &Ask) -> bool {
    let canonical = ask.canonical_path.as_deref().unwrap_or(&ask.path);
    let decoded = pattern.clone().map(|field| decode_reserved(&field));
    let mut pairs = vec![(pattern, ask.path.as_str()), (&decoded, ask.path.as_str())];
    pairs.extend([(pattern, canonical), (&decoded, canonical)]);
    pairs.extend(ask.sent_path.as_deref().map(|sent| (pattern, sent)));
    pairs.extend(ask.sent_path.as_deref().map(|sent| (&decoded, sent)));
    for (pattern, path) in pairs {
        let names = names(pattern[5].last(), &ask.method, path);
        if names.iter().any(|(method, path)| resource_matches(pattern, &ask.stage, method, path)) {
            return true;
        }
    }
    false
}

/// The escapes of reserved characters, decoded.
fn decode_reserved(field: &[Tok]) -> Vec<Tok> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < field.len() {
        if let [Tok::Char('%'), Tok::Char(high), Tok::Char(low), ..] = field[at..]
            && let (Some(high), Some(low)) = (high.to_digit(16), low.to_digit(16))
            && let Some(c) = char::from_u32(high * 16 + low).filter(|c| RESERVED.contains(*c))
        {
            out.push(Tok::Char(c));
            at += 3;
        } else {
            out.push(field[at]);
            at += 1;
        }
    }
    out
}

// ---------------------------------------------------------------- conditions

fn conditions(statement: &Value, ask: &Ask, variables: bool) -> Truth {
    let Some(Value::Object(operators)) = statement.get("Condition") else { return Some(true) };
    all(operators.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().expect("an operator holds keys");
        keys.iter().map(|(key, values)| condition(operator, key, &strings(values), ask, variables))
    }))
}

fn condition(operator: &str, key: &str, values: &[&str], ask: &Ask, variables: bool) -> Truth {
    let (set, name) = match operator.split_once(':') {
        Some((set, name)) => (Some(set), name),
        None => (None, operator),
    };
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let known = ask.known(key);
    if known == Some(&Known::Unavailable) {
        return None;
    }
    if name == "Null" {
        let absent = known.is_none();
        return Some(values.iter().any(|v| v.eq_ignore_ascii_case("true") == absent));
    }
    let (positive, negated) = positive_form(name);
    let one = |request: &str| {
        let some = any(values.iter().map(|policy| compare(positive, request, policy, ask, variables)));
        if negated { not(some) } else { some }
    };
    let Some(set) = set else {
        return match known {
            None => Some(negated || if_exists),
            Some(Known::One(value)) => one(value),
            Some(_) => Some(false),
        };
    };
    // An empty string counts as missing.
    let present: Vec<&str> = match known {
        Some(Known::One(value)) => vec![value.as_str()],
        Some(Known::Many(values)) => values.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let present: Vec<&str> = present.into_iter().filter(|value| !value.is_empty()).collect();
    if present.is_empty() {
        return Some(if_exists || set == "ForAllValues");
    }
    if set == "ForAllValues" { all(present.into_iter().map(one)) } else { any(present.into_iter().map(one)) }
}

/// A negated operator says that its positive form holds for none of the values.
fn positive_form(name: &str) -> (&str, bool) {
    match name {
        "StringNotEquals" => ("StringEquals", true),
        "StringNotEqualsIgnoreCase" => ("StringEqualsIgnoreCase", true),
        "StringNotLike" => ("StringLike", true),
        "NumericNotEquals" => ("NumericEquals", true),
        "DateNotEquals" => ("DateEquals", true),
        "NotIpAddress" => ("IpAddress", true),
        "ArnNotEquals" | "ArnNotLike" => ("ArnLike", true),
        "ArnEquals" => ("ArnLike", false),
        name => (name, false),
    }
}

/// One request value against one policy value, under a positive operator.
fn compare(name: &str, request: &str, policy: &str, ask: &Ask, variables: bool) -> Truth {
    let variables = variables && (name.starts_with("String") || name.starts_with("Arn") || name == "Bool");
    let pattern = match resolve(policy, ask, variables) {
        Ok(pattern) => pattern,
        // A request value that cannot be read is unknown whatever it is compared with.
        Err(_) if !readable(name, request) => return None,
        Err(Missing::Unresolved) => return Some(false),
        Err(Missing::Unavailable) => return None,
    };
    // For operators without wildcards, `*` and `?` are characters.
    let text: String = pattern
        .iter()
        .map(|tok| match tok {
            Tok::Char(c) => *c,
            Tok::Run => '*',
            Tok::One => '?',
        })
        .collect();
    match name {
        "StringEquals" => Some(request == text),
        "StringEqualsIgnoreCase" => {
            let lower =
                |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>().replace('ς', "σ");
            Some(lower(request) == lower(&text))
        }
        "StringLike" => Some(glob(&pattern, request)),
        "BinaryEquals" => Some(base64(policy).as_deref() == Some(request.as_bytes())),
        "Bool" => Some(boolean(request)? == boolean(&text)?),
        "IpAddress" => in_network(request, policy),
        "ArnLike" => arn_like(request, &pattern),
        _ if name.starts_with("Numeric") => {
            let order = number(request)?.cmp(&number(policy).expect("a number literal was checked"));
            Some(ordered(&name["Numeric".len()..], order))
        }
        _ => {
            let order = instant(request)?.cmp(&instant(policy).expect("a date literal was checked"));
            Some(ordered(&name["Date".len()..], order))
        }
    }
}

fn readable(name: &str, request: &str) -> bool {
    match name {
        "Bool" => boolean(request).is_some(),
        "ArnLike" => arn_parts(request).is_some(),
        _ => true,
    }
}

fn ordered(relation: &str, order: std::cmp::Ordering) -> bool {
    match relation {
        "Equals" => order.is_eq(),
        "LessThan" => order.is_lt(),
        "LessThanEquals" => order.is_le(),
        "GreaterThan" => order.is_gt(),
        "GreaterThanEquals" => order.is_ge(),
        other => panic!("no relation is called {other}"),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn arn_parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    (parts.len() == 6 && parts[0] == "arn").then_some(parts)
}

/// Six parts, each with wildcards of its own. The colons of the sixth part are text.
fn arn_like(request: &str, pattern: &[Tok]) -> Truth {
    let request = arn_parts(request)?;
    let pattern: Vec<&[Tok]> = pattern.splitn(6, |tok| *tok == Tok::Char(':')).collect();
    if pattern.len() < 6 {
        return Some(false);
    }
    Some(pattern.iter().zip(request).all(|(pattern, part)| glob(pattern, part)))
}

// ---------------------------------------------------------------- literals

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// A decimal that orders as numbers do.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

fn number(text: &str) -> Option<Decimal> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (digits(whole)?, digits(fraction)?),
        None => (digits(text)?, ""),
    };
    let whole = whole.trim_start_matches('0').to_owned();
    let fraction = fraction.trim_end_matches('0').to_owned();
    let negative = negative && !(whole.is_empty() && fraction.is_empty());
    Some(Decimal { negative, whole, fraction })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let size = |d: &Self| (d.whole.len(), d.whole.clone(), d.fraction.clone());
        match (self.negative, other.negative) {
            (false, true) => std::cmp::Ordering::Greater,
            (true, false) => std::cmp::Ordering::Less,
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A date or epoch seconds, as nanoseconds since 1970.
fn instant(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    if digits(text).is_some() {
        return (5..=11).contains(&text.len()).then(|| text.parse::<i128>().map(|s| s * SECOND).ok())?;
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = fixed(parts.next()?, 4)?;
    let month = fixed(parts.next()?, 2)?;
    let day = match parts.next() {
        Some(day) => fixed(day, 2)?,
        None if time.is_none() => 1,
        None => return None,
    };
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let mut days = 0;
    for y in 1970..year {
        days += if leap(y) { 366 } else { 365 };
    }
    for y in year..1970 {
        days -= if leap(y) { 366 } else { 365 };
    }
    days += (1..month).map(|m| days_in(year, m)).sum::<i128>() + day - 1;
    let midnight = days * 86_400 * SECOND;
    let Some(time) = time else { return Some(midnight) };
    let (time, zone) = if let Some(time) = time.strip_suffix('Z') {
        (time, 0)
    } else {
        let at = time.find(['+', '-'])?;
        let (hours, minutes) = time[at + 1..].split_once(':')?;
        let (hours, minutes) = (fixed(hours, 2)?, fixed(minutes, 2)?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        let offset = (hours * 60 + minutes) * 60;
        (&time[..at], if time[at..].starts_with('+') { offset } else { -offset })
    };
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let mut parts = time.split(':');
    let hour = fixed(parts.next()?, 2)?;
    let minute = fixed(parts.next()?, 2)?;
    let second = match parts.next() {
        Some(second) => fixed(second, 2)?,
        None if fraction.is_none() => 0,
        None => return None,
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match fraction {
        None => 0,
        Some(fraction) if fraction.len() <= 9 => {
            digits(fraction)?;
            format!("{fraction:0<9}").parse().ok()?
        }
        Some(_) => return None,
    };
    Some(midnight + ((hour * 60 + minute) * 60 + second - zone) * SECOND + nanos)
}

fn fixed(text: &str, length: usize) -> Option<i128> {
    digits(text).filter(|text| text.len() == length)?.parse().ok()
}

fn leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i128, month: i128) -> i128 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Strict base64: the standard alphabet, padded, no stray bits.
fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bare = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - bare.len() > 2 {
        return None;
    }
    let mut bits = String::new();
    for c in bare.chars() {
        bits.push_str(&format!("{:06b}", ALPHABET.find(c)?));
    }
    let whole = bits.len() / 8 * 8;
    if bits[whole..].contains('1') {
        return None;
    }
    (0..whole).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).ok()).collect()
}

fn in_network(request: &str, network: &str) -> Truth {
    let request: IpAddr = request.parse().ok()?;
    let (address, length) = match network.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().expect("a length was checked"))),
        None => (network, None),
    };
    let network: IpAddr = address.parse().expect("a network literal was checked");
    // An IPv4 address and the same mapped into IPv6 are one host. So are networks of them.
    let covers = |request: IpAddr| match (request, network) {
        (IpAddr::V4(request), IpAddr::V4(network)) => {
            same_bits(request.to_bits().into(), network.to_bits().into(), 32, length.unwrap_or(32))
        }
        (IpAddr::V6(request), IpAddr::V6(network)) => {
            same_bits(request.to_bits(), network.to_bits(), 128, length.unwrap_or(128))
        }
        _ => false,
    };
    Some(match request {
        IpAddr::V4(four) if length.is_none_or(|length| length >= 96) => {
            covers(request) || covers(IpAddr::V6(four.to_ipv6_mapped()))
        }
        IpAddr::V4(_) => covers(request),
        IpAddr::V6(six) => {
            covers(request) || six.to_ipv4_mapped().is_some_and(|four| covers(IpAddr::V4(four)))
        }
    })
}

fn same_bits(a: u128, b: u128, width: u32, length: u32) -> bool {
    length == 0 || (a >> (width - length)) == (b >> (width - length))
}
