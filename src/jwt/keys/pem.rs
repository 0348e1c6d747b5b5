//! A public key in PEM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::der;
use super::error::{KeySetError, SkipReason};
use crate::jwt::crypto::Material;

/// The one public key of a text. Anything but space around it is refused: a text that holds two things would mean
/// the one that whoever wrote it did not have in mind.
pub(super) fn public_key(text: &[u8]) -> Result<Material, KeySetError> {
    let text = std::str::from_utf8(text).map_err(|_| KeySetError::NotPem)?;
    let inside = text.trim_ascii().strip_prefix("-----BEGIN ").ok_or(KeySetError::NotPem)?;
    let (label, rest) = inside.split_once("-----").ok_or(KeySetError::NotPem)?;
    if label.ends_with("CERTIFICATE") {
        return Err(KeySetError::Certificate);
    }
    if label.ends_with("PRIVATE KEY") {
        return Err(KeySetError::PrivateKey);
    }
    let end = format!("-----END {label}-----");
    let body = rest.strip_suffix(&end).ok_or(KeySetError::NotPem)?;
    let base64: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(base64).map_err(|_| KeySetError::NotPem)?;
    let read: fn(&[u8]) -> Result<Material, SkipReason> = match label {
        "PUBLIC KEY" => der::subject_public_key_info,
        "RSA PUBLIC KEY" => der::rsa_public_key,
        _ => return Err(KeySetError::NotPem),
    };
    read(&der).map_err(KeySetError::Unusable)
}
