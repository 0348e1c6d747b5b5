//! The IAM policy language, as API Gateway evaluates it.
