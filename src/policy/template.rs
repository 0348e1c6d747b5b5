//! Path templates of the builder.

use super::error::{PolicyError, PolicyErrorKind, quoted};
use super::spelling::{Wildcards, malformed_escape, push_segment, push_spelled};

/// The path pattern that a template stands for, in the spelling of ARNs.
pub(super) fn expand(template: &str, values: &[(String, String)]) -> Result<String, PolicyError> {
    if !template.starts_with('/') {
        return Err(refuse(format!("template {} does not begin with `/`", quoted(template))));
    }
    let mut path = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let unbalanced = || refuse(format!("template {} has a brace without its partner", quoted(template)));
        let (text, from) = rest.split_at_checked(at).ok_or_else(unbalanced)?;
        let inside = from.strip_prefix('{').ok_or_else(unbalanced)?;
        let (name, behind) = inside.split_once('}').ok_or_else(unbalanced)?;
        push_text(text, template, &mut path)?;
        push_value(name, values, &mut path)?;
        rest = behind;
    }
    push_text(rest, template, &mut path)?;
    let inner = path.strip_prefix('/').unwrap_or_default();
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if path != "/" && inner.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(refuse(format!(
            "template {} has an empty or dot segment, no request that is let through has one",
            quoted(template)
        )));
    }
    Ok(path)
}

fn push_text(text: &str, template: &str, path: &mut String) -> Result<(), PolicyError> {
    if let Some(escape) = malformed_escape(text) {
        return Err(refuse(format!(
            "template {} has a malformed escape at {}, expected `%` and two hexadecimal digits",
            quoted(template),
            quoted(escape)
        )));
    }
    push_spelled(text, Wildcards::KeepStar, path);
    Ok(())
}

fn push_value(name: &str, values: &[(String, String)], path: &mut String) -> Result<(), PolicyError> {
    let (name, many) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
    let Some((_, value)) = values.iter().rev().find(|(known, _)| known == name) else {
        return Err(refuse(format!(
            "no value was given for {} before its template: call `value` first",
            quoted(name)
        )));
    };
    let push = |segment: &str, path: &mut String| {
        if matches!(segment, "" | "." | "..") {
            return Err(refuse(format!("the value of {} has an empty or dot segment", quoted(name))));
        }
        push_segment(segment, path);
        Ok(())
    };
    if !many {
        return push(value, path);
    }
    for (index, segment) in value.split('/').enumerate() {
        if index > 0 {
            path.push('/');
        }
        push(segment, path)?;
    }
    Ok(())
}

fn refuse(message: String) -> PolicyError {
    PolicyError::new(PolicyErrorKind::Template, message)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn templates_are_spelt_like_arns() {
        let values = [
            ("id".to_owned(), "a/*".to_owned()),
            ("rest".to_owned(), "a b/c*".to_owned()),
            ("dots".to_owned(), "a/./b".to_owned()),
        ];
        let expand = |template: &str| expand(template, &values);
        assert_eq!(expand("/").unwrap(), "/");
        assert_eq!(expand("/x y/%2f?/*").unwrap(), "/x%20y/%2F%3F/*");
        assert_eq!(expand("/u/{id}/x").unwrap(), "/u/a%2F%2A/x");
        assert_eq!(expand("/u/{rest+}/").unwrap(), "/u/a%20b/c%2A/");
        assert_eq!(expand("/$/${id}").unwrap(), "/$/$a%2F%2A");
        assert!(expand("/{dots+}").is_err());
        assert!(expand("/{id}}").is_err());
    }
}
