//! Condition keys that the gateway itself knows nothing about.

use http::Extensions;

use crate::policy::{ConditionKey, ConditionValue};

/// How to find their values.
pub(crate) type FindConditionKey =
    dyn for<'a> Fn(&ConditionKey, &'a Extensions) -> ConditionValue<'a> + Send + Sync;
