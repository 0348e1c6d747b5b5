//! Functions that exist already.
