//! What Helm takes for a web address and for an e-mail address.

/// Whether Go's `url.Parse` reads it and finds a scheme.
pub(super) fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut characters = scheme.chars();
    let scheme_is_good = characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|character| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.'));
    if !scheme_is_good || text.chars().any(|character| character.is_ascii_control()) {
        return false;
    }
    let rest =
        rest.split_once('#').map_or(rest, |(before, fragment)| if escapes_are_good(fragment) { before } else { "%" });
    let path = rest.split('?').next().unwrap_or_default();
    match path.strip_prefix("//") {
        None => !path.starts_with('/') || escapes_are_good(path),
        Some(after) => {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            authority_is_good(authority) && escapes_are_good(path)
        }
    }
}

fn authority_is_good(authority: &str) -> bool {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = if let Some(bracketed) = host.strip_prefix('[') {
        let Some((name, port)) = bracketed.split_once(']') else { return false };
        (name, port)
    } else {
        host.find(':').map_or((host, ""), |colon| host.split_at(colon))
    };
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    let name_is_good = !name.chars().any(|character| " <>\"{}|\\^`%".contains(character));
    port_is_good && name_is_good
}

fn escapes_are_good(text: &str) -> bool {
    text.split('%').skip(1).all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether it is the address of a web page: a scheme that pages have (or none) and a host with a sensible name.
pub(super) fn is_web_address(text: &str) -> bool {
    const LONGEST: usize = 2083;
    if !(3..LONGEST).contains(&text.len()) || text.contains(char::is_whitespace) {
        return false;
    }
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    if !matches!(scheme, "" | "http" | "https" | "ftp" | "tcp" | "udp" | "ws" | "wss") {
        return false;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => (host, port),
        _ => (host, "1"),
    };
    let named = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.');
    let bracketed = host.starts_with('[') && host.ends_with(']');
    !host.is_empty()
        && !host.starts_with('.')
        && (bracketed || host.chars().all(named))
        && (1..=5).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && (!scheme.is_empty() || host.contains('.'))
        && escapes_are_good(path)
}

/// Whether it is an e-mail address at a domain that has a dot.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let in_local = |character: char| character.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(character);
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let labels: Vec<&str> = domain.split('.').collect();
    let label_is_good = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | '~'))
    };
    !local.is_empty()
        && local.chars().all(in_local)
        && local.split('.').all(|part| !part.is_empty())
        && labels.len() > 1
        && labels.iter().all(label_is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_as_helm_judges_them() {
        for (text, scheme, page) in [
            ("http://x", true, true),
            ("x", false, false),
            ("//x", false, false),
            ("http:", true, false),
            ("http://a b", false, false),
            ("/x", false, false),
            ("ssh://x", true, false),
            ("mailto:x", true, false),
            ("1http://x", false, false),
            ("http://%zz", false, false),
            ("http://x/%zz", false, false),
            ("a:b/c", true, false),
            ("git@x.y:z", false, false),
            ("http://x:port", false, false),
            ("http://x:80", true, true),
            ("http://[", false, false),
        ] {
            assert_eq!((has_scheme(text), is_web_address(text)), (scheme, page), "{text}");
        }
        for (text, good) in
            [("a@b", false), ("a b <a@b.c>", false), ("@b", false), ("a@", false), ("a.b@c.d", true), ("a@b.c.", true)]
        {
            assert_eq!(is_email(text), good, "{text}");
        }
    }
}
