//! `identityValidationExpression`: what a token must look like before anybody is asked about it.

use regex_lite::{Regex, RegexBuilder};

/// The most that a compiled expression may take, in bytes: matching takes time in proportion.
const MAX_COMPILED: usize = 64 * 1024;

/// An expression that the whole of a token must match.
#[derive(Clone, Debug)]
pub(crate) struct TokenExpression(Regex);

impl TokenExpression {
    pub(crate) fn new(expression: &str) -> Result<Self, ExpressionError> {
        let error =
            |message: String| ExpressionError { expression: expression.into(), message: message.into() };
        if let Some(construct) = read_otherwise(expression) {
            return Err(error(format!("{construct} would not mean here what it means on AWS")));
        }
        let compile = |pattern: &str| RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build();
        // Alone first: what closes a group that it did not open must not get hold of ours.
        compile(expression).map_err(|cause| error(cause.to_string()))?;
        // `\A` and `\z` are no matter of flags, and those that the expression sets end with the group.
        let whole = compile(&format!(r"\A(?:{expression})\z")).map_err(|cause| error(cause.to_string()))?;
        Ok(Self(whole))
    }

    pub(crate) fn matches(&self, token: &str) -> bool {
        self.0.find(token).is_some_and(|found| found.start() == 0 && found.end() == token.len())
    }
}

/// What our engine accepts and a Java engine, which AWS's seems to be, takes to mean something narrower or else.
fn read_otherwise(expression: &str) -> Option<&'static str> {
    let mut in_class = false;
    let mut after_quantifier = false;
    let mut rest = expression.chars();
    while let Some(character) = rest.next() {
        let repeats = matches!(character, '*' | '+' | '?' | '}') && !in_class;
        match character {
            '\\' => {
                if matches!(rest.next(), Some('<' | '>')) {
                    return Some(r"`\<` or `\>`");
                }
            }
            '[' if in_class && rest.as_str().starts_with(':') => return Some("a class such as `[:alpha:]`"),
            '-' if in_class && rest.as_str().starts_with('-') => return Some("`--` in a class"),
            '[' if !in_class => {
                in_class = true;
                // A bracket that comes first is one of the characters.
                let after_sign = rest.as_str().strip_prefix('^').unwrap_or(rest.as_str());
                rest = after_sign.strip_prefix(']').unwrap_or(after_sign).chars();
            }
            ']' => in_class = false,
            '+' if after_quantifier && !in_class => return Some("a possessive quantifier such as `++`"),
            '{' if after_quantifier && !in_class => return Some("a quantifier of a quantifier"),
            '(' if !in_class => {
                let flags = rest.as_str().strip_prefix('?').unwrap_or_default();
                let end = flags.find(|c: char| !(c.is_ascii_alphabetic() || c == '-')).unwrap_or(flags.len());
                let (flags, behind) = flags.split_at_checked(end).unwrap_or_default();
                // `(?P<name>` is no flag.
                if flags.contains('x') {
                    return Some("the flag `x`");
                }
                let behind = behind.strip_prefix(')').filter(|_| !flags.is_empty());
                if behind.is_some_and(|behind| behind.starts_with(['*', '+', '?', '{'])) {
                    return Some("a quantifier of flags");
                }
            }
            _ => {}
        }
        after_quantifier = repeats;
    }
    None
}

/// An expression that could not be compiled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpressionError {
    expression: Box<str>,
    message: Box<str>,
}

impl std::fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the identity validation expression `{}` cannot be used: {}", self.expression, self.message)
    }
}

impl std::error::Error for ExpressionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, matching: &[&str], others: &[&str]) {
        let compiled = TokenExpression::new(expression).unwrap();
        matching.iter().for_each(|token| assert!(compiled.matches(token), "{expression} and {token}"));
        others.iter().for_each(|token| assert!(!compiled.matches(token), "{expression} and {token}"));
    }

    #[test]
    fn the_whole_token_must_match() {
        check(r"\w{5}", &["abcde"], &["abcd", "abcdef", " abcde", "abcde "]);
        check("^x-[a-z]+", &["x-abc"], &["x-abc1", "y x-abc", "x-"]);
        check("^Bearer [-0-9a-zA-Z._]*$", &["Bearer a.b.c", "Bearer "], &["bearer a", "Bearer a b"]);
    }

    #[test]
    fn alternatives_do_not_slip_the_anchors() {
        check("a|b", &["a", "b"], &["ax", "xb", "ab"]);
        check("a|ab", &["a", "ab"], &["abb"]);
        check("^a$|^b$", &["a", "b"], &["a\nb", "ax"]);
        check("|a", &["a", ""], &["b"]);
        check("", &[""], &["a"]);
    }

    #[test]
    fn flags_do_not_slip_the_anchors() {
        check("(?m)^a$", &["a"], &["a\nb", "b\na", "a\n"]);
        check("(?i)bearer", &["Bearer", "BEARER"], &["Bearer x"]);
        check("(?s)a.c", &["abc", "a\nc"], &["abcd"]);
        check("(?i:a)b", &["Ab", "ab"], &["AB"]);
        check("(?U)a+", &["aa"], &["aab"]);
        check("a$\n?", &["a"], &["a\n", "ab"]);
    }

    #[test]
    fn what_closes_a_group_of_ours_or_is_not_understood_is_refused() {
        for expression in
            ["a)|(?:b", "a)|(b", ")", "(", "[a", "a\\", "*", r"(a)\1", "(?=a)a", "(?>a)", "a{2,1}", r"\p{L}"]
        {
            let error = TokenExpression::new(expression).unwrap_err().to_string();
            assert!(error.contains(&format!("`{expression}`")), "{error}");
        }
    }

    #[test]
    fn what_java_reads_otherwise_is_refused() {
        let brackets =
            ["[[:alpha:]]+", "[^[:digit:]]", "[][:alpha:]]", "[--a-z+:]", "[a--z]", "[]--a]", "[^]--a]"];
        let quantified = [r"\w{1}{2}", "a*{2}", "a+?{2}", r":*\%(?s){0,}", "(?i)*a", "(?i-s)?a", "(?s)+a"];
        let others = ["a++", "a*+", "a?+a", "a{2}+", "(?x)a #", "(?ix:a)", "(?i-x)a", r"\<a", r"a\>"];
        for expression in brackets.into_iter().chain(quantified).chain(others) {
            let error = TokenExpression::new(expression).unwrap_err().to_string();
            assert!(error.contains("on AWS"), "{error}");
        }
        check(r"[*+?+]+", &["*+"], &["a"]);
        check("[a-]{2}", &["a-"], &["b-"]);
        check("[:a:][+{]-", &[":+-", "a{-"], &["b{-"]);
        check("--[]a]", &["--]", "--a"], &["-a"]);
        check("(?i)(?:a){2}", &["aA"], &["a"]);
        check(r"\++", &["++"], &["a"]);
        check(r"a\}+", &["a}}"], &["a"]);
        check("(?P<x>a)", &["a"], &[]);
        check("(?<x>a)", &["a"], &[]);
    }

    #[test]
    fn expressions_are_small_and_fast() {
        assert!(TokenExpression::new(r"(\w{500}){500}").is_err());
        assert!(TokenExpression::new(&"(".repeat(10_000)).is_err());
        let slow_elsewhere = TokenExpression::new("(a+)+b").unwrap();
        assert!(!slow_elsewhere.matches(&"a".repeat(8192)));
    }
}
