//! Digests, password hashes, derived passwords and AES.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::{Outcome, text, value};
use super::encoding::{decode64, encode64};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{STRING, UINT32};
use crate::value::{Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", &[&STRING], &STRING, |_, arguments| digest::<Sha1>(arguments)),
    Function::new("sha256sum", &[&STRING], &STRING, |_, arguments| digest::<Sha256>(arguments)),
    Function::new("sha512sum", &[&STRING], &STRING, |_, arguments| digest::<Sha512>(arguments)),
    Function::new("adler32sum", &[&STRING], &STRING, adler32),
    Function::new("bcrypt", &[&STRING], &STRING, |context, arguments| {
        Ok(bcrypt_hash(context, text(arguments, 0)?).into())
    }),
    Function::new("htpasswd", &[&STRING, &STRING], &STRING, htpasswd),
    Function::new("derivePassword", &[&UINT32, &STRING, &STRING, &STRING, &STRING], &STRING, derive_password),
    Function::new("encryptAES", &[&STRING, &STRING], &STRING, encrypt),
    Function::new("decryptAES", &[&STRING, &STRING], &STRING, decrypt),
];

fn digest<D: Digest>(arguments: &[Value]) -> Outcome {
    Ok(hex::encode(D::digest(text(arguments, 0)?.as_bytes())).into())
}

fn adler32(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    const MODULUS: u64 = 65_521;
    let (mut low, mut high) = (1u64, 0u64);
    // In chunks short enough that nothing overflows before the remainder is taken.
    for chunk in text(arguments, 0)?.as_bytes().chunks(4096) {
        for byte in chunk {
            low += u64::from(*byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    Ok((high << 16 | low).to_string().into())
}

/// With Go's default cost and version mark.
fn bcrypt_hash(context: &mut Context<'_>, password: &Str) -> String {
    const COST: u32 = 10;
    if password.len() > 72 {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned();
    }
    let mut salt = [0; 16];
    context.random().fill_bytes(&mut salt);
    match bcrypt::hash_with_salt(password.as_bytes(), COST, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    }
}

fn htpasswd(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let user = text(arguments, 0)?;
    if user.as_bytes().contains(&b':') {
        return Ok(format!("invalid username: {user}").into());
    }
    Ok(format!("{user}:{}", bcrypt_hash(context, text(arguments, 1)?)).into())
}

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// The shapes of passwords by type; each letter stands for a set of characters.
const SHAPES: [(&str, &[&str]); 6] = [
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

fn characters_of(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn pick<T: Copy>(from: &[T], by: u8) -> Option<T> {
    from.get(usize::from(by) % from.len().max(1)).copied()
}

/// The Master Password algorithm.
fn derive_password(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let counter = value(arguments, 0)?;
    let counter = counter.as_unsigned().or_else(|| counter.as_signed().map(i64::cast_unsigned)).unwrap_or(0);
    let counter = u32::try_from(counter).map_err(|_| "counter is out of range")?;
    let (kind, password) = (text(arguments, 1)?, text(arguments, 2)?);
    let (user, site) = (text(arguments, 3)?, text(arguments, 4)?);
    let Some((_, shapes)) = SHAPES.iter().find(|(name, _)| *kind == *name) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    let with_length = |text: &Str| {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        [SEED, &length.to_be_bytes(), text.as_bytes()].concat()
    };
    let failed = |error: &dyn std::fmt::Display| FunctionError::Message(format!("failed to derive password: {error}"));
    let mut key = [0; 64];
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|error| failed(&error))?;
    scrypt::scrypt(password.as_bytes(), &with_length(user), &parameters, &mut key).map_err(|error| failed(&error))?;
    let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|error| failed(&error))?;
    code.update(&with_length(site));
    code.update(&counter.to_be_bytes());
    let seed = code.finalize().into_bytes();
    let Some((first, others)) = seed.split_first() else { return Ok("".into()) };
    let shape = pick(shapes, *first).unwrap_or_default();
    let characters = shape.bytes().zip(others).filter_map(|(class, by)| pick(characters_of(class), *by));
    Ok(characters.map(char::from).collect::<String>().into())
}

const BLOCK: usize = 16;

/// The password, cut or filled up with zeros, is the key.
fn cipher(password: &Str) -> Aes256 {
    let mut key = [0; 32];
    for (byte, given) in key.iter_mut().zip(password.as_bytes()) {
        *byte = *given;
    }
    Aes256::new(&key.into())
}

fn block_of(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    for (byte, given) in block.iter_mut().zip(bytes) {
        *byte = *given;
    }
    block
}

fn combine(left: [u8; BLOCK], right: [u8; BLOCK]) -> [u8; BLOCK] {
    std::array::from_fn(|index| {
        left.get(index).copied().unwrap_or_default() ^ right.get(index).copied().unwrap_or_default()
    })
}

/// CBC behind a random first block.
fn encrypt(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (password, plain) = (text(arguments, 0)?, text(arguments, 1)?);
    if plain.is_empty() {
        return Ok("".into());
    }
    let cipher = cipher(password);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut content = plain.as_bytes().to_vec();
    content.resize(content.len() + padding, u8::try_from(padding).unwrap_or(0));
    let mut previous = [0; BLOCK];
    context.random().fill_bytes(&mut previous);
    let mut out = previous.to_vec();
    for chunk in content.chunks(BLOCK) {
        let mut block = combine(block_of(chunk), previous).into();
        cipher.encrypt_block(&mut block);
        previous = block.into();
        out.extend_from_slice(&previous);
    }
    Ok(encode64(&out).into())
}

fn decrypt(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (password, encoded) = (text(arguments, 0)?, text(arguments, 1)?);
    if encoded.is_empty() {
        return Ok("".into());
    }
    let bytes = decode64(encoded.as_bytes())?;
    let Some((first, content)) = bytes.split_at_checked(BLOCK) else {
        return Err(FunctionError::Message(format!(
            "runtime error: slice bounds out of range [:{BLOCK}] with capacity {}",
            bytes.capacity()
        )));
    };
    if !content.len().is_multiple_of(BLOCK) {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cipher(password);
    let mut previous = block_of(first);
    let mut out = Vec::with_capacity(content.len());
    for chunk in content.chunks(BLOCK) {
        let mut block = block_of(chunk).into();
        cipher.decrypt_block(&mut block);
        out.extend_from_slice(&combine(block.into(), previous));
        previous = block_of(chunk);
    }
    let Some(padding) = out.last().copied() else { return Err("runtime error: index out of range [-1]".into()) };
    let Some(length) = out.len().checked_sub(usize::from(padding)) else {
        return Err(FunctionError::Message(format!(
            "runtime error: slice bounds out of range [:{}]",
            i64::try_from(out.len()).unwrap_or(0) - i64::from(padding)
        )));
    };
    out.truncate(length);
    Ok(Str::from_bytes(out).into())
}
