//! The distributions behind the tests: normal, Student's t (central and noncentral), binomial with
//! probability 1/2. Only the special functions come from a library.

use statrs::function::beta::beta_reg;
use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::ln_gamma;

/// Phi(z), the share of the standard normal distribution below `z`.
pub(in crate::fairness) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The z with Phi(z) = `p`; infinite at 0 and 1.
pub(super) fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// P(|T| >= |t|) for Student's t: I_x(df/2, 1/2) with x = df / (df + t^2)
/// (Abramowitz and Stegun 26.7.1).
pub(super) fn t_two_sided(t: f64, df: f64) -> f64 {
    // Values whose squares underflow have no t, and show nothing.
    if t.is_nan() {
        return 1.0;
    }
    beta_reg(0.5 * df, 0.5, df / (df + t * t))
}

/// P(T >= t) for Student's t.
pub(super) fn t_upper(t: f64, df: f64) -> f64 {
    let tail = 0.5 * t_two_sided(t, df);
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// The t with P(|T| >= t) = `alpha`, for `alpha` in (0, 1).
pub(super) fn t_critical(alpha: f64, df: f64) -> f64 {
    let above = |t: f64| t_two_sided(t, df) > alpha;
    let mut high = 1.0;
    while above(high) && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    crossing(0.0, high, |t| !above(t))
}

/// The point at which `holds`, false at `low` and true at `high`, becomes true, found by bisection
/// to 10^-15 of the starting values.
pub(super) fn crossing(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let enough = 1e-15 * (low.abs() + high.abs());
    while high - low > enough {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// P(T <= t) for the noncentral t distribution (Lenth 1989, algorithm AS 243): for t >= 0
///
/// Phi(-d) + 1/2 sum_j [p_j I_x(j + 1/2, df/2) + q_j I_x(j + 1, df/2)], x = t^2 / (t^2 + df),
///
/// where p_j and q_j are Poisson-like weights with mean d^2/2. The sum covers the j whose weights
/// are not negligible.
pub(super) fn noncentral_t_cdf(t: f64, df: f64, noncentrality: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - noncentral_t_cdf(-t, df, -noncentrality);
    }
    let below_zero = normal_cdf(-noncentrality);
    if noncentrality == 0.0 {
        return 1.0 - t_upper(t, df);
    }
    let x = t * t / (t * t + df);
    let mean = 0.5 * noncentrality * noncentrality;
    let width = 10.0 * mean.sqrt() + 30.0;
    let (from, to) = ((mean - width).max(0.0).floor(), (mean + width).ceil());
    let mut sum = 0.0;
    let mut j = from;
    while j <= to {
        let poisson = j * mean.ln() - mean;
        let even = (poisson - ln_gamma(j + 1.0)).exp();
        let odd = (poisson - ln_gamma(j + 1.5)).exp() * noncentrality / std::f64::consts::SQRT_2;
        sum += even * beta_reg(j + 0.5, 0.5 * df, x) + odd * beta_reg(j + 1.0, 0.5 * df, x);
        j += 1.0;
    }
    (below_zero + 0.5 * sum).clamp(0.0, 1.0)
}

/// P(X <= k) for X successes in `n` throws of a fair coin: sum_(i <= k) C(n, i) / 2^n, summed from
/// the largest term down. Intended for k up to n/2.
pub(super) fn fair_binomial_cdf(k: u64, n: u64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    let chances = factorial(n) - factorial(k) - factorial(n - k);
    let mut term = (chances - n as f64 * std::f64::consts::LN_2).exp();
    let mut sum = term;
    for successes in (1..=k).rev() {
        term *= successes as f64 / (n - successes + 1) as f64;
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    sum
}

/// P(X = k) for X successes among `drawn` items, drawn from `all` items of which `successes` are
/// successes.
pub(super) fn hypergeometric(k: u64, drawn: u64, successes: u64, all: u64) -> f64 {
    let factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    let choose = |n: u64, k: u64| factorial(n) - factorial(k) - factorial(n - k);
    let ways = choose(successes, k) + choose(all - successes, drawn - k);
    (ways - choose(all, drawn)).exp()
}

/// The x with I_x(a, b) = `p`; 0 for a = 0 and 1 for b = 0, where all probability is at that end.
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if a == 0.0 {
        return 0.0;
    }
    if b == 0.0 {
        return 1.0;
    }
    crossing(0.0, 1.0, |x| beta_reg(a, b, x) >= p)
}

/// The two-sided exact p-value of `a` against `b` successes of fair coins: 2 P(X <= min(a, b)),
/// above 0 and at most 1. It is 1 if a = b = 0.
pub(super) fn fair_coin_p(a: u64, b: u64) -> f64 {
    (2.0 * fair_binomial_cdf(a.min(b), a + b)).clamp(f64::MIN_POSITIVE, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-10
    }

    // Reference values: R 4.3, `pnorm`, `qnorm`, `qt`, `pt(ncp = )`, `pbinom`.
    #[test]
    fn they_agree_with_tables() {
        assert!(close(normal_cdf(1.96), 0.975_002_104_851_78));
        assert!(close(normal_quantile(0.975), 1.959_963_984_540_054));
        assert!(close(t_critical(0.05, 7.0), 2.364_624_251_592_785));
        assert!(close(t_critical(0.05, 1.0), 12.706_204_736_174_7));
        assert!(close(fair_binomial_cdf(1, 8), 9.0 / 256.0));
        assert!(close(fair_binomial_cdf(0, 30), 0.5_f64.powi(30)));
    }

    #[test]
    fn they_hold_far_out() {
        // 1,000,000 throws: Phi((498_000.5 - 500_000) / 500), with the continuity correction.
        let (exact, normal) = (fair_binomial_cdf(498_000, 1_000_000), normal_cdf(-3.999));
        assert!((exact / normal - 1.0).abs() < 1e-3, "{exact} {normal}");
        assert!(fair_coin_p(0, 5_000) > 0.0);
        assert!((t_critical(0.05, 1e7) - 1.959_964).abs() < 1e-6);
        // With this many degrees of freedom, T is nearly normal around the noncentrality.
        let series = noncentral_t_cdf(102.0, 1e12, 100.0);
        assert!((series - normal_cdf(2.0)).abs() < 1e-4, "{series}");
    }

    #[test]
    fn without_noncentrality_it_is_students() {
        for t in [-3.0, -0.5, 0.0, 1.0, 4.0] {
            let central = 1.0 - t_upper(t, 9.0);
            assert!(close(noncentral_t_cdf(t, 9.0, 1e-12), central), "{t}");
        }
    }

    /// With one degree of freedom, T <= t is a statement on two normal numbers, whose
    /// probability is an integral over one of them.
    #[test]
    fn noncentral_t_agrees_with_an_integral() {
        for (t, df, noncentrality) in [(2.0, 1.0, 1.0), (-1.0, 1.0, 1.5), (12.7, 1.0, 8.0)] {
            let step = 1e-4;
            // The chi distribution with one degree of freedom is the half normal.
            let integral: f64 = (0..120_000)
                .map(|i| (f64::from(i) + 0.5) * step)
                .map(|s| {
                    let density = 2.0 * (-0.5 * s * s).exp() / std::f64::consts::TAU.sqrt();
                    normal_cdf(t * s - noncentrality) * density * step
                })
                .sum();
            let series = noncentral_t_cdf(t, df, noncentrality);
            assert!((series - integral).abs() < 1e-8, "{t}: {series} {integral}");
        }
    }
}
