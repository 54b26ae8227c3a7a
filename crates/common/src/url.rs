//! URLs without their credentials, for everything that is printed or stored.

use crate::secret::REDACTED;

/// Query parameters that carry credentials with the providers sources are fetched from.
const SECRET_PARAMETERS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "key",
    "password",
    "private_token",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
];

/// The URL with password, token user names and credential parameters masked.
///
/// A text that is not a URL is masked by hand as far as `scheme://user:password@` goes, because error messages hold such texts too.
#[must_use]
pub fn mask(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return mask_text(text);
    };
    if url.cannot_be_a_base() {
        return mask_text(text);
    }
    let had_path = !text.ends_with('/') && url.path() == "/";
    let has_user = !url.username().is_empty();
    if url.password().is_some() {
        // Both setters fail only for URLs without a host, which have no user information to hide.
        let _ = url.set_password(Some(REDACTED));
    } else if has_user && url.scheme() != "ssh" {
        // Over HTTP a lone user name is a token (`https://ghp_…@host`); over SSH it is just `git`.
        let _ = url.set_username(REDACTED);
    }
    if url.query().is_some_and(|query| query.split('&').any(is_secret_parameter)) {
        let query = url.query().unwrap_or_default().split('&').map(mask_parameter).collect::<Vec<_>>().join("&");
        url.set_query(Some(&query));
    }
    let masked = url.to_string();
    match masked.strip_suffix('/') {
        // The parser adds a slash to a bare host; the user did not write one.
        Some(without) if had_path => without.to_owned(),
        _ => masked,
    }
}

fn is_secret_parameter(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

fn mask_parameter(parameter: &str) -> String {
    if !is_secret_parameter(parameter) {
        return parameter.to_owned();
    }
    format!("{}={REDACTED}", parameter.split('=').next().unwrap_or_default())
}

/// A message in which every `scheme://user:password@host` has its user information masked.
#[must_use]
pub fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = behind
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>'))
            .unwrap_or(behind.len());
        let (authority, after) = behind.split_at(end);
        match authority.rsplit_once('@') {
            Some(("git", host)) => {
                masked.push_str("git@");
                masked.push_str(host);
            }
            Some((_, host)) => {
                masked.push_str(REDACTED);
                masked.push('@');
                masked.push_str(host);
            }
            None => masked.push_str(authority),
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_credentials() {
        let table = [
            ("https://example.com/repo", "https://example.com/repo"),
            ("https://example.com", "https://example.com"),
            ("https://example.com/", "https://example.com/"),
            ("https://user:pass@example.com/repo", "https://user:*****@example.com/repo"),
            ("https://ghp_abc@example.com/repo", "https://*****@example.com/repo"),
            ("ssh://git@example.com/repo", "ssh://git@example.com/repo"),
            ("ssh://git:pass@example.com/repo", "ssh://git:*****@example.com/repo"),
            ("https://s3.example.com/b?X-Amz-Signature=abc&x=1", "https://s3.example.com/b?X-Amz-Signature=*****&x=1"),
            ("https://a.blob.example.com/c?sv=1&sig=abc%3D", "https://a.blob.example.com/c?sv=1&sig=*****"),
            ("oci://user:pass@example.com:5000/x", "oci://user:*****@example.com:5000/x"),
            ("not a url", "not a url"),
        ];
        for (text, masked) in table {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn masks_inside_messages() {
        assert_eq!(
            mask_text("GET \"https://u:p@host/x\" failed, ssh://git@host/y too"),
            "GET \"https://*****@host/x\" failed, ssh://git@host/y too"
        );
    }
}
