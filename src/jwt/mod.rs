//! JWTs and Cognito.
