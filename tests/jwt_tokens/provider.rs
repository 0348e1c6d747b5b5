//! The process-wide default of `jsonwebtoken` belongs to the application, not to us.

use jsonwebtoken::crypto::{CryptoProvider, KeyUtils};

/// Panics whatever it is asked.
static OF_THE_APPLICATION: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| panic!("the application's provider was asked to sign"),
    verifier_factory: |_, _| panic!("the application's provider was asked to verify"),
    key_utils: KeyUtils::new_unimplemented(),
};

/// With both backends compiled and none installed, whoever asks for the default panics, and from then on it cannot be
/// installed any more. So that it can be proves that nobody asked.
#[tokio::test]
async fn the_default_provider_is_never_asked() {
    crate::table().assert_all().await;
    assert!(OF_THE_APPLICATION.install_default().is_ok(), "somebody asked for the default provider");
    crate::table().assert_all().await;
}
