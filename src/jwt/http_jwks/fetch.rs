//! One fetch: ask, read no more than may be, and make keys of it.

use std::time::Duration;

use reqwest::{Client, Url, header};

use super::error::JwksError;
use super::location::{Location, named_by};
use crate::jwt::KeySet;
use crate::jwt::json;

const ACCEPT: &str = "application/json, application/jwk-set+json";

/// What asks for keys.
pub(super) struct Fetcher {
    pub(super) client: Client,
    pub(super) location: Location,
    pub(super) timeout: Duration,
    pub(super) max_bytes: usize,
}

impl Fetcher {
    /// The longest that a fetch takes.
    pub(super) fn patience(&self) -> Duration {
        match self.location {
            Location::Keys(_) => self.timeout,
            Location::Discovered { .. } => self.timeout.saturating_mul(2),
        }
    }

    /// A set with at least one key.
    pub(super) async fn fetch(&self) -> Result<KeySet, JwksError> {
        let document = match &self.location {
            Location::Keys(url) => self.get(url).await?,
            Location::Discovered { issuer, document } => {
                let url = self
                    .discover(issuer, document)
                    .await
                    .map_err(|error| JwksError::Discovery(Box::new(error)))?;
                self.get(&url).await?
            }
        };
        let keys = KeySet::from_jwks(&document).map_err(JwksError::KeySet)?;
        if keys.is_empty() {
            return Err(JwksError::NoUsableKeys { skipped: keys.skipped().len() });
        }
        Ok(keys)
    }

    async fn discover(&self, issuer: &str, document: &Url) -> Result<Url, JwksError> {
        let text = self.get(document).await?;
        let members = json::object(&text).ok_or(JwksError::MalformedDiscovery)?;
        let member = |name| members.get(name).and_then(serde_json::Value::as_str);
        let (Some(said), Some(place)) = (member("issuer"), member("jwks_uri")) else {
            return Err(JwksError::MalformedDiscovery);
        };
        if said != issuer {
            return Err(JwksError::IssuerMismatch);
        }
        named_by(document, place).map_err(JwksError::JwksUri)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, JwksError> {
        tokio::time::timeout(self.timeout, self.read(url)).await.unwrap_or(Err(JwksError::Timeout))
    }

    async fn read(&self, url: &Url) -> Result<Vec<u8>, JwksError> {
        let request = self.client.get(url.clone()).header(header::ACCEPT, ACCEPT);
        let mut response = request.send().await.map_err(JwksError::connection)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(JwksError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(JwksError::connection)? {
            if chunk.len() > self.max_bytes.saturating_sub(body.len()) {
                return Err(JwksError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
