//! Decodes labels of host names that start with `xn--` (RFC 3492).

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// What a label without its `xn--` spells; `None` if it spells nothing.
pub(super) fn decode(label: &[u8]) -> Option<String> {
    // No label of a host is longer than 63 bytes.
    if label.len() > 63 {
        return None;
    }
    let basic = label.iter().rposition(|byte| *byte == b'-');
    let (head, tail) = basic.map_or((&label[..0], label), |at| (&label[..at], &label[at + 1..]));
    let mut output: Vec<char> = head.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let (mut code, mut index, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = tail.iter();
    while digits.len() > 0 {
        let (before, mut weight, mut k) = (index, 1_u32, BASE);
        loop {
            let digit = char::from(*digits.next()?).to_digit(BASE)?;
            // Letters come before digits, other than in numbers.
            let digit = if digit < 10 { digit + 26 } else { digit - 10 };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let length = u32::try_from(output.len() + 1).ok()?;
        bias = adapt(index - before, length, before == 0);
        code = code.checked_add(index / length)?;
        index %= length;
        output.insert(index as usize, char::from_u32(code)?);
        index += 1;
    }
    Some(output.into_iter().collect())
}

fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert_eq!(decode(b"mnchen-3ya").as_deref(), Some("münchen"));
        assert_eq!(decode(b"fiqs8s").as_deref(), Some("中国"));
        assert_eq!(decode(b"80ak6aa92e").as_deref(), Some("аррӏе"));
        assert_eq!(decode(b"b1abfaaepdrnnbgefbadotcwatmq2g4l").as_deref(), Some("почемужеонинеговорятпорусски"));
        assert_eq!(decode(b"99999999"), None);
    }
}
