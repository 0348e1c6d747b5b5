//! Known answers: whether the backend that was compiled in does what it is there for.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Material, backend};
use crate::jwt::algorithm::Algorithm;

const MESSAGE: &[u8] = b"a known answer";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

const MODULUS: &str = "\
     6j_hYlbKiMBL2-ubthj1cm8c6xc1teKNsP4sb1zy3aBhxDhh7bYf80G2BxJmieNSWkgo41hnGYVxa3vVeaDxQoDR8IQzub2b\
     1PmiVxlAQnlRMKv_pzpLgSgd0IDrQvToUJbUCc2FtbP9TfujPsANiFuBS15RdH5FnA04QlzaG6saspioNTA88CsWYjlAXwPo\
     CyR-jFWfHGLGRrZ_ry0PceOsCCmlUyqYLfkS3IpBV9oQbsCyeYZvydEhKddvNf-ZuENEIEzNJUVHHotjTfDOeAUY85rc_tCy\
     C0yzW1ziEY5RmSbzHRwDv53VOnSfQslOS7T6i0YdqGdFvgvaNNbZHQ";
const POINT_256: &str =
    "BGmZKd5nmUrPGYb8gGe-UCO63-nV2Ia9PmWxqwvP0smlaPrvaremP9hK0GzHhZOLNQNDUuGHVZiyvD5BV-eXfQ8";
const POINT_384: &str = "\
     BHlDXtmW1_XnKPXmE8_wxr3ptpdH3rPvc3ycV3qry6Pkc5SaWDJ27Ulz4HzVNKbPmb8ljQCAgVGzjMz0cTOcmkDTarJB20gG\
     4NI5V2_ONS7Zmj05AVC_D0aNm5ycLS57mg";
const POINT_ED: &str = "IKIArzjla5VxEXky0n-MKXpepW8IVYvK0UhNaH8jt4E";
const RS256: &str = "\
     pK4y7ejfbZJlXduEtbv0xvBw96S1ddiArZvhtAWd2pRqzPN5FxwYcwBljJZaTEPc40Lp-_ZRXclIU4zw4nL4_9G5TFz02o_R\
     yOOEvSkocQ7PK2k8llS6sS2CM8qZLj0TJsfatw8HGjiRiRbRVmgR2ZVG_g4YvbO4YhVHjj35p-zxq4noKuIB7NtZqE1w2zn9\
     a7xeUV3vP2DLnPF5UOYuC2V3unCICWg4cnOP380Dqbp1Uzul3AfjI9gsr8LER4bxkzDUnZgl8wzVKUnORXCxN4s_YHKZx5LS\
     az2bOQCiHYMmp65itAk02gRi9KIWAzcSK55SNbkT4SiHmyyTn-catw";
const PS256: &str = "\
     eINyNUmKHpow4jbWvVJlrlXF38-mkxdtBx9b9Yiy-F0vc0TLhalQsFUABsEHygOaUgUPCShMwFZ26eB3BXeWmQpHvZBy83AY\
     KkewUXm6hIMbAgS4P2PVfttzYFri8X5ioPeQaHGJb_-RpXlutVExBcjIQW0jHHXnLulcb-GZT8guR5FxGLyK_Kc2j0xzThR9\
     8Em-DW5ymxlZiQfgqtoLBWDb85EjYa2ElK9norhB4lb2xmSnMoHnAbbeCxU6TXyJXprYjM8FrGCTdEsw_3Oclpbu4gtgwepE\
     U1eTwfNPDaButYXA_jqVzE1phQgActQ2jBc7lH9E3apQegf3ureCJg";
const ES256: &str = "AVqqWZ7y8CL49ci6ra3v-smC9I5xDY-8yDyDrQ-oQxj1B7k2h8BCNH8sv1xNv0yfbRqR2GSYk05zqln1x3xUvg";
const ES384: &str = "\
     EktQsCMw24Ayzlp2Pu2HZ8UEgz6-YEK52TO7tKoNo8FFFARbTLqNzW3P7Ox50CKpeKmbxKopZ4C9nOoIqTTtxZF3t7_kWhbB\
     Zf6PQBJeQz9vGc6OBgvIuGOrivczTEYN";
const EDDSA: &str = "JOYQO0CUhgJ0LafvO8EHeDM5CH0apdp0rpPX3lkW3MOwAjeqv8wpBZM5VecUCfb2bZ8KF-Jom5oarAmiubxTDg";
const HS256: &str = "mdiWGIeBJ4rHW2lCczoGL4XVky70ORZcg1dRkpqlHCk";

/// Whether good signatures pass and others do not, with one algorithm of each kind. It is found out once a process.
pub(in crate::jwt) fn passed() -> bool {
    static PASSED: OnceLock<bool> = OnceLock::new();
    *PASSED.get_or_init(|| {
        run(|algorithm, material, message, signature| {
            Some(backend::Verifier::new(algorithm, material)?.verify(message, signature))
        })
        .unwrap_or_default()
    })
}

type Verify = fn(Algorithm, &Material, &[u8], &[u8]) -> Option<bool>;

fn run(verify: Verify) -> Option<bool> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let rsa = Material::Rsa { n: bytes(MODULUS)?.into(), e: [1, 0, 1].into() };
    let known = [
        (Algorithm::Rs256, &rsa, RS256),
        (Algorithm::Ps256, &rsa, PS256),
        (Algorithm::Es256, &Material::P256(bytes(POINT_256)?.into()), ES256),
        (Algorithm::Es384, &Material::P384(bytes(POINT_384)?.into()), ES384),
        (Algorithm::EdDsa, &Material::Ed25519(bytes(POINT_ED)?.into()), EDDSA),
        (Algorithm::Hs256, &Material::Hmac(SECRET.into()), HS256),
    ];
    for (algorithm, material, signature) in known {
        let good = bytes(signature)?;
        let mut flipped = good.clone();
        *flipped.last_mut()? ^= 1;
        let is_right = verify(algorithm, material, MESSAGE, &good)?
            && !verify(algorithm, material, MESSAGE, &flipped)?
            && !verify(algorithm, material, b"another message", &good)?
            && !verify(algorithm, material, MESSAGE, &[])?;
        if !is_right {
            return Some(false);
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_knows_the_answers() {
        assert!(passed());
        assert_eq!(run(|_, _, _, _| Some(true)), Some(false));
        assert_eq!(run(|_, _, _, _| Some(false)), Some(false));
        assert_eq!(run(|_, _, _, _| None), None);
    }

    #[cfg(feature = "jwt-rust-crypto")]
    #[test]
    fn the_other_backend_knows_them_too() {
        use crate::jwt::crypto::rust_crypto::Verifier;

        let answer = run(|algorithm, material, message, signature| {
            Some(Verifier::new(algorithm, material)?.verify(message, signature))
        });
        assert_eq!(answer, Some(true));
    }
}
