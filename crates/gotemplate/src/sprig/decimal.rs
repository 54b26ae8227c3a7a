//! Decimal numbers as shopspring/decimal calculates with them: exact, division to 16 places.

use num_bigint::BigInt;
use num_bigint::Sign;

use crate::function::FunctionError;

/// Places behind the point that a quotient has.
const DIVISION_PRECISION: i32 = 16;

/// `digits * 10^exponent`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i32,
}

fn power_of_ten(exponent: i32) -> BigInt {
    BigInt::from(10).pow(exponent.unsigned_abs())
}

impl Decimal {
    /// The shortest decimal that reads back as this float.
    pub(super) fn from_float(number: f64) -> Result<Self, FunctionError> {
        if !number.is_finite() {
            let text = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(FunctionError::Message(format!("Cannot create a Decimal from {text}")));
        }
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(number);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse().unwrap_or_default();
        let places = i32::try_from(fraction.len()).unwrap_or(0);
        Ok(Self { digits, exponent: exponent.parse::<i32>().unwrap_or(0) - places })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }

    fn digits_at(&self, exponent: i32) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.digits_at(exponent) + other.digits_at(exponent), exponent }
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        self.add(&Self { digits: -&other.digits, exponent: other.exponent })
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent.saturating_add(other.exponent) }
    }

    /// Rounds half away from zero; but a quotient that truncates to zero rounds in the direction of both signs.
    pub(super) fn divide(&self, divisor: &Self) -> Result<Self, FunctionError> {
        if divisor.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent.saturating_sub(divisor.exponent).saturating_add(DIVISION_PRECISION);
        let (numerator, denominator) = if shift < 0 {
            (self.digits.clone(), &divisor.digits * power_of_ten(shift))
        } else {
            (&self.digits * power_of_ten(shift), divisor.digits.clone())
        };
        let quotient = &numerator / &denominator;
        let remainder = &numerator % &denominator;
        let twice = BigInt::from(remainder.magnitude().clone()) * 2;
        let rounds = twice >= BigInt::from(denominator.magnitude().clone());
        let opposite = self.digits.sign() != divisor.digits.sign() && self.digits.sign() != Sign::NoSign;
        let step = match (rounds, opposite) {
            (false, _) => 0,
            (true, true) => -1,
            (true, false) => 1,
        };
        Ok(Self { digits: quotient + step, exponent: -DIVISION_PRECISION })
    }
}
