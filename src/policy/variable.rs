//! `${key}`, `${key, 'default'}` and the three escapes `${*}`, `${?}`, `${$}`.

use super::error::{PolicyError, PolicyErrorKind, quoted};

/// A piece of a text that may hold variables.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Piece<'a> {
    /// `${*}`, `${?}` or `${$}`: the character itself.
    Escaped(char),
    Text(&'a str),
    Variable {
        key: &'a str,
        default: Option<&'a str>,
    },
}

/// The text is not a well-formed variable from here on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BadVariable<'a>(&'a str);

impl From<BadVariable<'_>> for PolicyError {
    fn from(bad: BadVariable<'_>) -> Self {
        Self::new(
            PolicyErrorKind::BadVariable,
            format!("bad policy variable {}, expected `${{key}}` or `${{key, 'default'}}`", quoted(bad.0)),
        )
    }
}

/// Writes a text in which nothing is a variable so that nothing is.
pub(super) fn escape(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Cuts a text into its pieces. Ends after the first mistake.
#[derive(Clone, Debug)]
pub(super) struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, BadVariable<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match self.rest.find("${") {
            Some(0) => {
                let from = std::mem::take(&mut self.rest);
                Some(match variable(from) {
                    Some((piece, behind)) => {
                        self.rest = behind;
                        Ok(piece)
                    }
                    None => Err(BadVariable(from)),
                })
            }
            Some(at) => {
                let (text, rest) = self.rest.split_at_checked(at)?;
                self.rest = rest;
                Some(Ok(Piece::Text(text)))
            }
            None => Some(Ok(Piece::Text(std::mem::take(&mut self.rest)))),
        }
    }
}

/// Whether every variable of `text` is well formed.
pub(super) fn check(text: &str) -> Result<(), PolicyError> {
    Pieces::new(text).try_for_each(|piece| piece.map(drop)).map_err(PolicyError::from)
}

fn variable(from: &str) -> Option<(Piece<'_>, &str)> {
    let inside = from.strip_prefix("${")?;
    for (escape, character) in [("*}", '*'), ("?}", '?'), ("$}", '$')] {
        if let Some(behind) = inside.strip_prefix(escape) {
            return Some((Piece::Escaped(character), behind));
        }
    }
    let end = inside.find([',', '}', '\'', '$', '{', '*', '?'])?;
    let (key, behind) = inside.split_at_checked(end)?;
    if key.is_empty() || key.trim() != key || key.chars().any(char::is_control) {
        return None;
    }
    if let Some(behind) = behind.strip_prefix('}') {
        return Some((Piece::Variable { key, default: None }, behind));
    }
    let (default, behind) = behind.strip_prefix(", '")?.split_once('\'')?;
    Some((Piece::Variable { key, default: Some(default) }, behind.strip_prefix('}')?))
}

#[cfg(test)]
mod tests {
    use super::{Piece, Pieces, check};

    #[test]
    fn pieces_are_told_apart() {
        let pieces: Result<Vec<_>, _> = Pieces::new("a/${aws:Name}$b${*}${x:y, 'no one'}}").collect();
        assert_eq!(
            pieces.unwrap(),
            [
                Piece::Text("a/"),
                Piece::Variable { key: "aws:Name", default: None },
                Piece::Text("$b"),
                Piece::Escaped('*'),
                Piece::Variable { key: "x:y", default: Some("no one") },
                Piece::Text("}"),
            ]
        );
    }

    #[test]
    fn bad_syntax_is_refused() {
        for bad in [
            "${",
            "${}",
            "${a",
            "${a,'b'}",
            "${a, b}",
            "${a, 'b}",
            "${ a}",
            "${a${b}}",
            "${**}",
            "${a, 'b' }",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
