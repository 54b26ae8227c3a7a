//! Private keys and X.509 certificates.

use std::any::Any;
use std::rc::Rc;
use std::time::Duration;

use rand::RngCore;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RsaKeySize, SanType, SerialNumber,
};

use super::arguments::{Outcome, int, list, text, value};
use super::encoding::{decode64, encode64};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{INT, LIST, STRING};
use crate::value::{Kind, Object, Str, Type, Value, downcast};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("genPrivateKey", &[&STRING], &STRING, private_key),
    Function::new("buildCustomCert", &[&STRING, &STRING], &CERTIFICATE, custom),
    Function::new("genCA", &[&STRING, &INT], &CERTIFICATE, |context, arguments| authority(context, arguments, None)),
    Function::new("genCAWithKey", &[&STRING, &INT, &STRING], &CERTIFICATE, |context, arguments| {
        authority(context, arguments, Some(2))
    }),
    Function::new("genSelfSignedCert", &[&STRING, &LIST, &LIST, &INT], &CERTIFICATE, |context, arguments| {
        self_signed(context, arguments, None)
    }),
    Function::new(
        "genSelfSignedCertWithKey",
        &[&STRING, &LIST, &LIST, &INT, &STRING],
        &CERTIFICATE,
        |context, arguments| self_signed(context, arguments, Some(4)),
    ),
    Function::new("genSignedCert", &[&STRING, &LIST, &LIST, &INT, &CERTIFICATE], &CERTIFICATE, |context, arguments| {
        signed(context, arguments, None)
    }),
    Function::new(
        "genSignedCertWithKey",
        &[&STRING, &LIST, &LIST, &INT, &CERTIFICATE, &STRING],
        &CERTIFICATE,
        |context, arguments| signed(context, arguments, Some(5)),
    ),
];

static CERTIFICATE: Type = Type::basic("sprig.certificate", Kind::Struct);

/// A certificate with its private key, both as PEM.
#[derive(Debug)]
struct Certificate {
    certificate: Str,
    key: Str,
}

impl Object for Certificate {
    fn go_type(&self) -> &'static Type {
        &CERTIFICATE
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", self.certificate.clone().into()), ("Key", self.key.clone().into())]
    }

    fn json(&self) -> Option<Value> {
        Some(Value::map(self.fields()))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| self.certificate == other.certificate && self.key == other.key)
    }
}

fn certificate(certificate: impl Into<Str>, key: impl Into<Str>) -> Value {
    Value::Object(Rc::new(Certificate { certificate: certificate.into(), key: key.into() }))
}

fn failure(what: &str, error: &dyn std::fmt::Display) -> FunctionError {
    FunctionError::Message(format!("{what}: {error}"))
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = encode64(der);
    let lines: Vec<&str> =
        (0..encoded.len()).step_by(64).filter_map(|start| encoded.get(start..encoded.len().min(start + 64))).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The first PEM block: its label and content.
fn read_pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, after) = text.split_once("-----BEGIN ")?;
    let (label, after) = after.split_once("-----")?;
    let (body, _) = after.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    Some((label, decode64(body.as_bytes()).ok()?))
}

/// Reads one DER element of this tag off the front.
fn element<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let [found, first, after @ ..] = *rest else { return None };
    if *found != tag {
        return None;
    }
    let (length, content) = if *first < 0x80 {
        (usize::from(*first), after)
    } else {
        let (bytes, content) = after.split_at_checked(usize::from(first & 0x7F))?;
        if bytes.len() > 4 {
            return None;
        }
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), content)
    };
    let (body, after) = content.split_at_checked(length)?;
    *rest = after;
    Some(body)
}

pub(super) fn encode_element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0));
    } else {
        let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
        out.extend_from_slice(&bytes);
    }
    out.extend_from_slice(content);
    out
}

/// A PKCS#8 key in the PEM form that Go writes: PKCS#1 for RSA, SEC 1 for elliptic curves, else as it is.
fn key_pem(pkcs8: &[u8]) -> Option<String> {
    const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
    const ELLIPTIC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
    const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
    let mut outer = pkcs8;
    let mut body = element(&mut outer, 0x30)?;
    element(&mut body, 0x02)?;
    let mut algorithm = element(&mut body, 0x30)?;
    let inner = element(&mut body, 0x04)?;
    match element(&mut algorithm, 0x06)? {
        RSA => Some(pem("RSA PRIVATE KEY", inner)),
        ELLIPTIC => {
            let mut key = inner;
            let mut key = element(&mut key, 0x30)?;
            element(&mut key, 0x02)?;
            let secret = element(&mut key, 0x04)?;
            // The curve stands in the algorithm's parameters here, and goes into the key there.
            element(&mut key, 0xA0);
            let public = element(&mut key, 0xA1)?;
            let parts = [
                encode_element(0x02, &[1]),
                encode_element(0x04, secret),
                encode_element(0xA0, algorithm),
                encode_element(0xA1, public),
            ];
            Some(pem("EC PRIVATE KEY", &encode_element(0x30, &parts.concat())))
        }
        // Without the public key, which Go leaves out.
        ED25519 => {
            let parts = [
                encode_element(0x02, &[0]),
                encode_element(0x30, &encode_element(0x06, ED25519)),
                encode_element(0x04, inner),
            ];
            Some(pem("PRIVATE KEY", &encode_element(0x30, &parts.concat())))
        }
        _ => Some(pem("PRIVATE KEY", pkcs8)),
    }
}

fn generated(kind: &str) -> Result<KeyPair, rcgen::Error> {
    match kind {
        "ecdsa" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        "ed25519" => KeyPair::generate_for(&rcgen::PKCS_ED25519),
        "rsa" => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096),
        _ => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048),
    }
}

fn private_key(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let kind = text(arguments, 0)?.lossy();
    let kind = match kind.as_ref() {
        "" | "rsa" => "rsa",
        known @ ("ecdsa" | "ed25519") => known,
        "dsa" => {
            let key = super::dsa_key::generate().map_err(|error| failure("failed to generate dsa key", &error))?;
            return Ok(pem("DSA PRIVATE KEY", &key).into());
        }
        other => return Ok(format!("Unknown type {other}").into()),
    };
    let key = generated(kind).map_err(|error| failure("failed to generate private key", &error))?;
    key_pem(&key.serialize_der()).map(Value::from).ok_or_else(|| "failed to encode private key".into())
}

/// A key from PEM, with the PEM that Go would write for it.
fn parsed_key(text: &str) -> Result<(KeyPair, String), FunctionError> {
    let (label, der) = read_pem(text).ok_or("no PEM data in input")?;
    let what = match label {
        "PRIVATE KEY" => "decoding PEM as PKCS#8",
        "RSA PRIVATE KEY" => "parsing RSA private key from PEM",
        "EC PRIVATE KEY" => "parsing EC private key from PEM",
        "DSA PRIVATE KEY" => return Err("private keys of type DSA are not supported".into()),
        other => {
            return Err(match other.strip_suffix(" PRIVATE KEY") {
                Some(kind) => FunctionError::Message(format!("invalid private key type {kind}")),
                None => FunctionError::Message(format!("no private key data in PEM block of type {other}")),
            });
        }
    };
    let key = KeyPair::try_from(der.as_slice()).map_err(|error| failure(what, &error))?;
    let written = if label == "PRIVATE KEY" { key_pem(&der) } else { Some(pem(label, &der)) };
    Ok((key, written.ok_or("private key cannot be encoded")?))
}

/// The key given as an argument, or a new one.
fn subject_key(arguments: &[Value], index: Option<usize>) -> Result<(KeyPair, String), FunctionError> {
    if let Some(index) = index {
        return parsed_key(&text(arguments, index)?.lossy()).map_err(|error| failure("parsing private key", &error));
    }
    let key = generated("").map_err(|error| failure("error generating rsa key", &error))?;
    let written = key_pem(&key.serialize_der()).ok_or("error generating rsa key: it cannot be encoded")?;
    Ok((key, written))
}

fn parameters(
    context: &mut Context<'_>,
    name: &Str,
    addresses: &[Value],
    names: &[Value],
    days: i64,
) -> Result<CertificateParams, FunctionError> {
    let mut parameters = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    if !name.is_empty() {
        subject.push(DnType::CommonName, name.to_string());
    }
    parameters.distinguished_name = subject;
    let mut ips = Vec::new();
    for address in addresses {
        let text = address.as_text().ok_or_else(|| {
            FunctionError::Message(format!("error parsing ip: {} is not a string", crate::format::display(address)))
        })?;
        let ip = text.as_str().and_then(|text| text.parse().ok());
        ips.push(SanType::IpAddress(ip.ok_or_else(|| FunctionError::Message(format!("error parsing ip: {text}")))?));
    }
    for name in names {
        let text = name.as_text().ok_or_else(|| {
            let shown = crate::format::display(name);
            FunctionError::Message(format!("error processing alternate dns name: {shown} is not a string"))
        })?;
        let name = text.to_string().try_into();
        parameters
            .subject_alt_names
            .push(SanType::DnsName(name.map_err(|error| failure("error creating certificate", &error))?));
    }
    parameters.subject_alt_names.extend(ips);
    let mut serial = [0; 16];
    context.random().fill_bytes(&mut serial);
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    // Whole seconds since 1970, reached from the one date that can be named without another dependency.
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = u64::try_from(context.now().as_second()).unwrap_or(0);
    let lifetime = days.saturating_mul(86_400);
    let end = now.saturating_add_signed(lifetime).min(253_402_300_799);
    parameters.not_before = epoch + Duration::from_secs(now);
    parameters.not_after = epoch + Duration::from_secs(end);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    parameters.is_ca = IsCa::ExplicitNoCa;
    Ok(parameters)
}

fn created(result: Result<rcgen::Certificate, rcgen::Error>, key: String) -> Outcome {
    let made = result.map_err(|error| failure("error creating certificate", &error))?;
    Ok(certificate(pem("CERTIFICATE", made.der()), key))
}

fn authority(context: &mut Context<'_>, arguments: &[Value], key_index: Option<usize>) -> Outcome {
    let (key, written) = subject_key(arguments, key_index)?;
    let mut parameters = parameters(context, text(arguments, 0)?, &[], &[], int(arguments, 1)?)?;
    parameters.key_usages.push(KeyUsagePurpose::KeyCertSign);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    created(parameters.self_signed(&key), written)
}

fn self_signed(context: &mut Context<'_>, arguments: &[Value], key_index: Option<usize>) -> Outcome {
    let (key, written) = subject_key(arguments, key_index)?;
    let (addresses, names) = (list(arguments, 1)?, list(arguments, 2)?);
    let parameters = parameters(context, text(arguments, 0)?, addresses.items(), names.items(), int(arguments, 3)?)?;
    created(parameters.self_signed(&key), written)
}

fn signed(context: &mut Context<'_>, arguments: &[Value], key_index: Option<usize>) -> Outcome {
    let (key, written) = subject_key(arguments, key_index)?;
    let authority: &Certificate =
        downcast(value(arguments, 4)?).ok_or("the certificate authority is not of type sprig.certificate")?;
    let (_, der) = read_pem(&authority.certificate.lossy())
        .map(|(label, der)| (label.to_owned(), der))
        .ok_or("unable to decode certificate")?;
    let (signer, _) =
        parsed_key(&authority.key.lossy()).map_err(|error| failure("error parsing private key", &error))?;
    let issuer = Issuer::from_ca_cert_der(&der.into(), signer)
        .map_err(|error| failure("error parsing certificate: decodedSignerCert.Bytes", &error))?;
    let (addresses, names) = (list(arguments, 1)?, list(arguments, 2)?);
    let mut parameters =
        parameters(context, text(arguments, 0)?, addresses.items(), names.items(), int(arguments, 3)?)?;
    parameters.use_authority_key_identifier_extension = true;
    created(parameters.signed_by(&key, &issuer), written)
}

/// Checks that both are what they should be and gives them as they are.
fn custom(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let decoded = decode64(text(arguments, 0)?.as_bytes()).map_err(|_| "unable to decode base64 certificate")?;
    let key = decode64(text(arguments, 1)?.as_bytes()).map_err(|_| "unable to decode base64 private key")?;
    let (decoded, key) = (Str::from_bytes(decoded), Str::from_bytes(key));
    let text = decoded.lossy();
    let (_, der) = read_pem(&text).ok_or("unable to decode certificate")?;
    let mut rest = der.as_slice();
    if element(&mut rest, 0x30).is_none() || !rest.is_empty() {
        return Err("error parsing certificate: decodedCert.Bytes: x509: malformed certificate".into());
    }
    parsed_key(&key.lossy()).map_err(|error| failure("error parsing private key", &error))?;
    Ok(certificate(decoded.clone(), key))
}
