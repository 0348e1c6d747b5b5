//! Which function is asked.

use super::RemoteConfigError;

/// A function's name or ARN, and which version of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Function {
    /// As it was given.
    pub(super) name: Box<str>,
    pub(super) qualifier: Option<Box<str>>,
}

impl Function {
    /// Accepts what the Invoke API accepts: `name`, `account:function:name` and the whole ARN, each with or without a
    /// qualifier at its end.
    pub(super) fn new(name: Box<str>, qualifier: Option<Box<str>>) -> Result<Self, RemoteConfigError> {
        let parts: Vec<&str> = name.split(':').collect();
        let inside = match *parts {
            [name] => is_name(name).then_some(None),
            [name, qualifier] => is_name(name).then_some(Some(qualifier)),
            [account, "function", name] => (is_account(account) && is_name(name)).then_some(None),
            [account, "function", name, qualifier] => {
                (is_account(account) && is_name(name)).then_some(Some(qualifier))
            }
            ["arn", partition, "lambda", region, account, "function", name] => {
                is_arn(partition, region, account, name).then_some(None)
            }
            ["arn", partition, "lambda", region, account, "function", name, qualifier] => {
                is_arn(partition, region, account, name).then_some(Some(qualifier))
            }
            _ => None,
        };
        let inside = inside.ok_or(RemoteConfigError::FunctionName)?;
        if inside.is_some() && qualifier.is_some() {
            return Err(RemoteConfigError::QualifierTwice);
        }
        if !inside.or(qualifier.as_deref()).is_none_or(is_qualifier) {
            return Err(RemoteConfigError::Qualifier);
        }
        Ok(Self { name, qualifier })
    }
}

fn is_arn(partition: &str, region: &str, account: &str, name: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_partition =
        partition.strip_prefix("aws").is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    is_partition
        && partition.bytes().all(lower)
        && !region.is_empty()
        && region.bytes().all(lower)
        && is_account(account)
        && is_name(name)
}

fn is_account(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(is_name_byte)
}

fn is_qualifier(qualifier: &str) -> bool {
    let plain = (1..=128).contains(&qualifier.len()) && qualifier.bytes().all(is_name_byte);
    plain || qualifier == "$LATEST"
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, qualifier: Option<&str>) -> Result<Function, RemoteConfigError> {
        Function::new(name.into(), qualifier.map(Into::into))
    }

    #[test]
    fn functions_are_named_as_the_invoke_api_names_them() {
        for name in [
            "orders-authorizer",
            "orders_authorizer:PROD",
            "a:$LATEST",
            "123456789012:function:a",
            "123456789012:function:a:7",
            "arn:aws:lambda:eu-west-1:123456789012:function:a",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:a:$LATEST",
            &"n".repeat(64),
        ] {
            assert_eq!(new(name, None).map(|function| function.name), Ok(name.into()));
        }
        for qualifier in ["7", "PROD", "$LATEST", "live_2"] {
            assert_eq!(new("a", Some(qualifier)).unwrap().qualifier.as_deref(), Some(qualifier));
        }
    }

    #[test]
    fn what_names_no_function_is_refused() {
        for name in [
            "",
            "a/b",
            "../a",
            "a b",
            "a%2Fb",
            "a?b",
            "é",
            "a:b:c",
            "1234:function:a",
            "123456789012:layer:a",
            "arn:aws:lambda:eu-west-1:123456789012:function:",
            "arn:aws:lambda::123456789012:function:a",
            "arn:awsx:lambda:eu-west-1:123456789012:function:a",
            "arn:aws:s3:eu-west-1:123456789012:function:a",
            "arn:aws:lambda:eu-west-1:123456789012:function:a:b:c",
            &"n".repeat(65),
        ] {
            assert_eq!(new(name, None), Err(RemoteConfigError::FunctionName), "{name}");
        }
        for qualifier in ["", "$latest", "a/b", "a:b", &"q".repeat(129)] {
            assert_eq!(new("a", Some(qualifier)), Err(RemoteConfigError::Qualifier), "{qualifier}");
            let name = format!("a:{qualifier}");
            assert!(new(&name, None).is_err(), "{name}");
        }
        assert_eq!(new("a:7", Some("7")), Err(RemoteConfigError::QualifierTwice));
    }
}
