//! The distributions that tests need.

/// ln Γ(x) for x > 0 (Lanczos 1964, with the coefficients of Godfrey 2001: right to about 15 digits).
fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const COEFFICIENTS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = COEFFICIENTS.iter().enumerate().skip(1).fold(COEFFICIENTS[0], |sum, (at, c)| sum + c / (x + at as f64));
    let t = x + G + 0.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The probability that a chi-squared variable is at least `x`.
pub(super) fn chi_square_tail(x: f64, degrees: usize) -> f64 {
    gamma_tail(degrees as f64 / 2.0, x / 2.0)
}

/// The probability that a gamma variable of this shape and of scale 1 is at least `x`: Q(a, x) by its series, or beyond the bulk by its
/// continued fraction (Abramowitz and Stegun 6.5.29 and 6.5.31).
pub(super) fn gamma_tail(a: f64, x: f64) -> f64 {
    if x <= 0.0 || a <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    // Lentz's method, in the form of Thompson and Barnett 1986.
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / tiny, 1.0 / b);
    let mut h = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b, tiny);
        c = nonzero(b + an / c, tiny);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * h).clamp(0.0, 1.0)
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8).
fn beta_share(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return f64::from(u8::from(x >= 1.0));
    }
    // Where the fraction converges fast, or else from the other end.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_share(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    let tiny = 1e-300;
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0), tiny));
    let mut h = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let mut step = 1.0;
        for an in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / nonzero(1.0 + an * d, tiny);
            c = nonzero(1.0 + an / c, tiny);
            step = d * c;
            h *= step;
        }
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * h / a).clamp(0.0, 1.0)
}

/// The probability that a variable of Fisher's F distribution is at least `f`.
pub(super) fn f_tail(f: f64, above: usize, below: usize) -> f64 {
    if f <= 0.0 || above == 0 || below == 0 {
        return 1.0;
    }
    let (above, below) = (above as f64, below as f64);
    beta_share(below / 2.0, above / 2.0, below / (below + above * f))
}

/// The probability that a standard normal variable is at least `z`.
pub(super) fn normal_tail(z: f64) -> f64 {
    let half = chi_square_tail(z * z, 1) / 2.0;
    if z >= 0.0 { half } else { 1.0 - half }
}

fn nonzero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

/// The probability that two samples of one distribution differ by at least `distance` (Kolmogorov and Smirnov): exact by counting paths
/// (Hodges 1958) while the samples are small enough, then Kolmogorov's limit.
pub(super) fn smirnov_tail(distance: f64, one: usize, two: usize) -> f64 {
    const MOST_STEPS: usize = 25_000_000;
    let (m, n) = (one.min(two), one.max(two));
    if m == 0 || distance <= 0.0 {
        return 1.0;
    }
    if m.saturating_mul(n) > MOST_STEPS {
        let (m, n) = (m as f64, n as f64);
        return kolmogorov_tail(distance * (m * n / (m + n)).sqrt());
    }
    let (md, nd) = (m as f64, n as f64);
    // Half a step below, so that rounding doesn't decide what is as far.
    let bound = (0.5 + (distance * md * nd - 1e-7).floor()) / (md * nd);
    let mut row: Vec<f64> = (0..=n).map(|j| f64::from(u8::from(j as f64 / nd <= bound))).collect();
    for i in 1..=m {
        let share = i as f64 / md;
        let weight = i as f64 / (i as f64 + nd);
        row[0] = if share > bound { 0.0 } else { weight * row[0] };
        for j in 1..=n {
            let off = (share - j as f64 / nd).abs() > bound;
            row[j] = if off { 0.0 } else { weight * row[j] + row[j - 1] };
        }
    }
    (1.0 - row[n]).clamp(0.0, 1.0)
}

/// 2 Σ (−1)^(k−1) e^(−2k²x²); for small x by the other series, which converges there.
fn kolmogorov_tail(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0;
    }
    if x < 1.0 {
        let pi = std::f64::consts::PI;
        let terms = (1..=20).map(|k| (-(f64::from(2 * k - 1) * pi).powi(2) / (8.0 * x * x)).exp());
        return (1.0 - (2.0 * pi).sqrt() / x * terms.sum::<f64>()).clamp(0.0, 1.0);
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * x * x).exp();
    (1..=20).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::near;

    /// Figures of SciPy 1.17: `chi2.sf`, `ks_2samp`, `kstwobign.sf`, `f.sf`, `norm.sf`.
    #[test]
    fn agrees_with_scipy() {
        near(chi_square_tail(3.841_458_820_694_124, 1), 0.05);
        near(chi_square_tail(11.070_497_693_516_351, 5), 0.05);
        near(chi_square_tail(1.0, 10), 0.999_827_884_370_044_3);
        near(smirnov_tail(1.0, 3, 3), 0.1);
        near(smirnov_tail(0.5, 4, 4), 0.771_428_571_428_571_5);
        near(kolmogorov_tail(1.5), 0.022_217_962_616_525_13);
        near(kolmogorov_tail(0.5), 0.963_945_243_664_875_1);
        near(f_tail(3.2, 3, 17), 0.049_858_015_044_896_58);
        near(f_tail(4.964_602_743_730_711, 1, 10), 0.05);
        near(normal_tail(1.959_963_984_540_054), 0.025);
        near(normal_tail(-1.0), 0.841_344_746_068_542_9);
    }
}
