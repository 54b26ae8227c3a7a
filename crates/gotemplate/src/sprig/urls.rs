//! URLs as Go's `net/url` takes them apart and puts them together, and looking hosts up.

use super::arguments::{NIL_DEREFERENCE, Outcome, map, text};
use crate::context::Context;
use crate::format::quote::quoted;
use crate::function::{Function, FunctionError};
use crate::value::types::{MAP, STRING};
use crate::value::{Map, Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[&STRING], &MAP, parse_to_map),
    Function::new("urlJoin", &[&MAP], &STRING, join),
    // Without a network there is no answer: what Helm gives unless lookups are enabled.
    Function::new("getHostByName", &[&STRING], &STRING, |_, _| Ok("".into())),
];

/// A part of a URL, which decides what must be escaped in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    User,
    Path,
    Fragment,
}

fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::User => b"$&+,;=",
        Part::Path => b"$&+,/:;=@",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !allowed.contains(&byte)
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if must_escape(*byte, part) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let in_host = matches!(part, Part::Host | Part::Zone);
        if *byte != b'%' {
            if in_host && byte.is_ascii() && must_escape(*byte, part) {
                return Err(format!("invalid character {} in host name", quoted(&[*byte])));
            }
            out.push(*byte);
            continue;
        }
        let digit = |index: usize| after.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        let shown = || {
            let end = after.len().min(2);
            format!("invalid URL escape {}", quoted(&[b"%", after.get(..end).unwrap_or_default()].concat()))
        };
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err(shown()) };
        let value = u8::try_from(high * 16 + low).unwrap_or(0);
        let percent = after.starts_with(b"25");
        let refused = match part {
            Part::Host => high < 8 && !percent,
            Part::Zone => !percent && value != b' ' && must_escape(value, Part::Host),
            _ => false,
        };
        if refused {
            return Err(shown());
        }
        out.push(value);
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(out)
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    /// The name and, if there is one, the password.
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(position) => (text.get(..position).unwrap_or_default(), text.get(position + 1..)),
        None => (text, None),
    }
}

/// Splits the scheme off, if there is one.
fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((text.get(..index).unwrap_or_default(), text.get(index + 1..).unwrap_or_default())),
            _ => break,
        }
    }
    Ok((b"", text))
}

/// `url.Parse`.
fn parse(text: &[u8]) -> Result<Url, String> {
    let wrapped = |text: &[u8], message: String| format!("parse {}: {message}", quoted(text));
    let (before, fragment) = cut(text, b'#');
    let mut url = parse_without_fragment(before).map_err(|message| wrapped(before, message))?;
    if let Some(fragment) = fragment {
        url.fragment = unescape(fragment, Part::Fragment).map_err(|message| wrapped(text, message))?;
    }
    Ok(url)
}

fn parse_without_fragment(text: &[u8]) -> Result<Url, String> {
    if text.iter().any(|byte| *byte < b' ' || *byte == 0x7F) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let mut url = Url::default();
    if text == b"*" {
        url.path = text.to_vec();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let mut path = rest;
    if (!url.scheme.is_empty() || !rest.starts_with(b"///"))
        && let Some(authority) = rest.strip_prefix(b"//")
    {
        let end = authority.iter().position(|byte| *byte == b'/').unwrap_or(authority.len());
        let (authority, after) = authority.split_at(end);
        path = after;
        parse_authority(&mut url, authority)?;
    }
    url.path = unescape(path, Part::Path)?;
    Ok(url)
}

fn parse_authority(url: &mut Url, authority: &[u8]) -> Result<(), String> {
    let at = authority.iter().rposition(|byte| *byte == b'@');
    let host = at.map_or(authority, |at| authority.get(at + 1..).unwrap_or_default());
    url.host = parse_host(&url.scheme, host)?;
    let Some(user) = at.and_then(|at| authority.get(..at)) else { return Ok(()) };
    if !user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte)) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = cut(user, b':');
    let password = password.map(|password| unescape(password, Part::User)).transpose()?;
    url.user = Some((unescape(name, Part::User)?, password));
    Ok(())
}

fn valid_port(port: &[u8]) -> bool {
    port.is_empty() || port.strip_prefix(b":").is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    let invalid_port = |port: &[u8]| format!("invalid port {} after host", quoted(port));
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => {
            let close = host.iter().rposition(|byte| *byte == b']').ok_or("missing ']' in host")?;
            let port = host.get(close + 1..).unwrap_or_default();
            if !valid_port(port) {
                return Err(invalid_port(port));
            }
            let name = host.get(1..close).unwrap_or_default();
            let zone = name.windows(3).position(|window| window == b"%25").unwrap_or(name.len());
            let (address, zone) = name.split_at(zone);
            let address = unescape(address, Part::Host)?;
            let zone = unescape(zone, Part::Zone)?;
            let text = String::from_utf8_lossy(&address).into_owned();
            if text.parse::<std::net::Ipv4Addr>().is_ok() {
                return Err("invalid IP-literal".to_owned());
            }
            if text.parse::<std::net::Ipv6Addr>().is_err() {
                let whole = [address, zone].concat();
                return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quoted(&whole)));
            }
            return Ok([b"[", address.as_slice(), &zone, b"]", port].concat());
        }
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    let first = host.iter().position(|byte| *byte == b':');
    let last = host.iter().rposition(|byte| *byte == b':');
    // Lists of hosts with ports are let through for everything but HTTP.
    let port = if matches!(scheme, b"http" | b"https") { first } else { last };
    if let Some(port) = port.and_then(|port| host.get(port..)).filter(|port| !valid_port(port)) {
        return Err(invalid_port(port));
    }
    unescape(host, Part::Host)
}

fn user_text(user: &(Vec<u8>, Option<Vec<u8>>)) -> Vec<u8> {
    let mut out = escape(&user.0, Part::User);
    if let Some(password) = &user.1 {
        out.push(b':');
        out.extend(escape(password, Part::User));
    }
    out
}

/// The host without its port and brackets.
fn host_name(host: &[u8]) -> &[u8] {
    let colon = host.iter().rposition(|byte| *byte == b':');
    let name = match colon {
        Some(colon) if valid_port(host.get(colon..).unwrap_or_default()) => host.get(..colon).unwrap_or_default(),
        _ => host,
    };
    name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name)
}

fn parse_to_map(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let url = parse(text(arguments, 0)?.as_bytes())
        .map_err(|message| FunctionError::Message(format!("unable to parse url: {message}")))?;
    let user = url.user.as_ref().map(user_text).unwrap_or_default();
    let entries = [
        ("fragment", url.fragment.as_slice()),
        ("host", &url.host),
        ("hostname", host_name(&url.host)),
        ("opaque", &url.opaque),
        ("path", &url.path),
        ("query", &url.query),
        ("scheme", &url.scheme),
        ("userinfo", &user),
    ];
    Ok(Map::from_entries(entries.map(|(key, bytes)| (key, Value::String(Str::copy_bytes(bytes))))).into())
}

/// The text under a key, empty when there is none.
fn part(map: &Map, key: &str) -> Result<Vec<u8>, FunctionError> {
    match map.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Nil) => Err(NIL_DEREFERENCE.into()),
        Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
        Some(other) => Err(FunctionError::Message(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind().name()
        ))),
    }
}

fn join(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let map = map(arguments, 0)?;
    let (scheme, host, path) = (part(map, "scheme")?, part(map, "host")?, part(map, "path")?);
    let (query, opaque, fragment) = (part(map, "query")?, part(map, "opaque")?, part(map, "fragment")?);
    let info = part(map, "userinfo")?;
    let user = if info.is_empty() {
        None
    } else {
        let whole = [b"proto://", info.as_slice(), b"@host"].concat();
        let parsed = parse(&whole);
        parsed.map_err(|message| FunctionError::Message(format!("unable to parse userinfo in dict: {message}")))?.user
    };
    let mut out = Vec::new();
    if !scheme.is_empty() {
        out.extend([scheme.as_slice(), b":"].concat());
    }
    if opaque.is_empty() {
        let has_authority = !scheme.is_empty() || !host.is_empty() || user.is_some();
        if has_authority && (!host.is_empty() || !path.is_empty() || user.is_some()) {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = &user {
            out.extend(user_text(user));
            out.push(b'@');
        }
        out.extend(escape(&host, Part::Host));
        let path = if path == b"*" { path } else { escape(&path, Part::Path) };
        if !path.is_empty() && !path.starts_with(b"/") && !host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    } else {
        out.extend(opaque);
    }
    if !query.is_empty() {
        out.extend([b"?", query.as_slice()].concat());
    }
    if !fragment.is_empty() {
        out.extend([b"#".to_vec(), escape(&fragment, Part::Fragment)].concat());
    }
    Ok(Str::from_bytes(out).into())
}
