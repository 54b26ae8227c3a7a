//! Files that the real `helm package --sign` and `gpg` have made, judged as the real `helm verify` judges them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use provenance::{Keyring, ProvenanceError, verify};

const CHART: &[u8] = include_bytes!("data/web-1.0.0.tgz");
const HELM: &[u8] = include_bytes!("data/web-1.0.0.tgz.prov");
const KEYRING: &[u8] = include_bytes!("data/pubring.gpg");
/// Some time after the files were made.
const NOW: u64 = 1_795_500_000;

fn judge(provenance: &[u8]) -> Result<String, ProvenanceError> {
    let keyring = Keyring::read(KEYRING).unwrap();
    verify(CHART, "web-1.0.0.tgz", provenance, &keyring, NOW).map(|verified| verified.signed_by.join(", "))
}

#[test]
fn signatures_are_judged_as_helm_judges_them() {
    for (provenance, expected) in [
        (HELM, Ok("Ada <ada@example.org>")),
        (include_bytes!("data/ada.prov"), Ok("Ada <ada@example.org>")),
        // Made by a subkey.
        (include_bytes!("data/ben.prov"), Ok("Ben <ben@example.org>")),
        (include_bytes!("data/old.prov"), Err("openpgp: key expired")),
        (include_bytes!("data/rev.prov"), Err("openpgp: signature made by revoked key")),
        (include_bytes!("data/out.prov"), Err("openpgp: signature made by unknown entity")),
        (b"", Err("signature block not found")),
        (b"files: {}\n", Err("signature block not found")),
    ] {
        let found = judge(provenance).map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }
}

#[test]
fn the_fingerprint_and_digest_are_told() {
    let keyring = Keyring::read(include_bytes!("data/ada.asc")).unwrap();
    let verified = verify(CHART, "web-1.0.0.tgz", HELM, &keyring, NOW).unwrap();
    assert_eq!(verified.fingerprint, "6CBEA54C977D1533609F5697629010FFEF39D2C0");
    assert_eq!(verified.digest, "sha256:d38b30825ecb8358eb7c5790419bee0fd6efdbddca6b39b8d5384a0ac136a072");
}

#[test]
fn other_bytes_names_and_texts_are_not_proven() {
    let keyring = Keyring::read(KEYRING).unwrap();
    let error = verify(b"other", "web-1.0.0.tgz", HELM, &keyring, NOW).unwrap_err().to_string();
    assert!(error.starts_with("sha256 sum does not match for web-1.0.0.tgz: \"sha256:d38b"), "{error}");
    let error = verify(CHART, "other.tgz", HELM, &keyring, NOW).unwrap_err().to_string();
    assert_eq!(error, "provenance does not contain a SHA for a file named \"other.tgz\"");
    // One letter of the signed text, and every byte of the signature's armor, is held.
    let text = String::from_utf8(HELM.to_vec()).unwrap();
    let changed = text.replace("name: web", "name: wob");
    assert!(matches!(judge(changed.as_bytes()), Err(ProvenanceError::BadSignature(_))));
    for at in (0..HELM.len()).step_by(7) {
        let mut damaged = HELM.to_vec();
        damaged[at] ^= 1;
        // Armor headers and line ends are not signed; anything else must fail, and nothing may panic.
        let _ = judge(&damaged);
    }
}

#[test]
fn keyrings_are_read_in_both_forms() {
    for bytes in [&b""[..], b"nope", b"\0\0\0\x20\x01\x01\0\x02KBXf\0\0", &[0xff; 64]] {
        assert!(Keyring::read(bytes).is_err());
    }
    for end in (0..KEYRING.len()).step_by(13) {
        let _ = Keyring::read(&KEYRING[..end]);
    }
}
