//! The certificate a client showed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What an authorizer is told about the certificate of a client that uses mutual TLS: `clientCert`.
///
/// A server that terminates TLS makes one for each connection; cloning it copies a reference count.
///
/// ```
/// use tower_lambda_authorizer::contract::ClientCertificate;
///
/// let certificate = ClientCertificate::from_pem("-----BEGIN CERTIFICATE-----\n…")
///     .with_subject_dn("CN=client.example.com")
///     .with_issuer_dn("CN=Example CA")
///     .with_serial_number("a1:a1")
///     .with_validity("May 28 12:30:02 2026 GMT", "Aug  5 09:36:04 2027 GMT");
/// assert_eq!(certificate.subject_dn(), "CN=client.example.com");
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct ClientCertificate(Arc<Wire>);

#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
struct Wire {
    #[serde(rename = "clientCertPem")]
    pem: Box<str>,
    #[serde(rename = "subjectDN")]
    subject_dn: Box<str>,
    #[serde(rename = "issuerDN")]
    issuer_dn: Box<str>,
    #[serde(rename = "serialNumber")]
    serial_number: Box<str>,
    validity: Validity,
}

#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Validity {
    not_before: Box<str>,
    not_after: Box<str>,
}

impl ClientCertificate {
    /// A certificate of which only the text is known.
    #[must_use]
    pub fn from_pem(pem: impl Into<String>) -> Self {
        Self(Arc::new(Wire { pem: pem.into().into_boxed_str(), ..Wire::default() }))
    }

    /// Names whose certificate it is.
    #[must_use]
    pub fn with_subject_dn(self, subject_dn: impl Into<String>) -> Self {
        self.with(|wire| wire.subject_dn = subject_dn.into().into_boxed_str())
    }

    /// Names who issued it.
    #[must_use]
    pub fn with_issuer_dn(self, issuer_dn: impl Into<String>) -> Self {
        self.with(|wire| wire.issuer_dn = issuer_dn.into().into_boxed_str())
    }

    /// Its serial number, in hexadecimal with colons.
    #[must_use]
    pub fn with_serial_number(self, serial_number: impl Into<String>) -> Self {
        self.with(|wire| wire.serial_number = serial_number.into().into_boxed_str())
    }

    /// From when to when it is good. API Gateway writes `May 28 12:30:02 2026 GMT`, the day padded with a space.
    #[must_use]
    pub fn with_validity(self, not_before: impl Into<String>, not_after: impl Into<String>) -> Self {
        self.with(|wire| {
            wire.validity = Validity {
                not_before: not_before.into().into_boxed_str(),
                not_after: not_after.into().into_boxed_str(),
            };
        })
    }

    /// `clientCertPem`.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.0.pem
    }

    /// `subjectDN`.
    #[must_use]
    pub fn subject_dn(&self) -> &str {
        &self.0.subject_dn
    }

    /// `issuerDN`.
    #[must_use]
    pub fn issuer_dn(&self) -> &str {
        &self.0.issuer_dn
    }

    /// `serialNumber`.
    #[must_use]
    pub fn serial_number(&self) -> &str {
        &self.0.serial_number
    }

    /// `validity.notBefore`.
    #[must_use]
    pub fn not_before(&self) -> &str {
        &self.0.validity.not_before
    }

    /// `validity.notAfter`.
    #[must_use]
    pub fn not_after(&self) -> &str {
        &self.0.validity.not_after
    }

    fn with(mut self, change: impl FnOnce(&mut Wire)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Serialize for ClientCertificate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ClientCertificate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer).map(|wire| Self(Arc::new(wire)))
    }
}

/// Prints whose certificate it is, not the certificate.
impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("subject_dn", &self.0.subject_dn)
            .field("issuer_dn", &self.0.issuer_dn)
            .field("serial_number", &self.0.serial_number)
            .finish_non_exhaustive()
    }
}
