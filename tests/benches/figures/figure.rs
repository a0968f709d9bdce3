//! One figure: ours and its limit, taken in turns.

use serde_json::json;

/// What may fail ends the bench, with its reason.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A figure, as it is printed.
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What the house does.
    pub ours: f64,
    /// What the machine could do.
    pub limit: f64,
    /// What both are counted in.
    pub unit: &'static str,
}

impl Figure {
    /// One line of JSON.
    pub fn print(&self) {
        let Self { name, ours, limit, unit } = self;
        let ratio = if *limit > 0.0 { ours / limit } else { 0.0 };
        println!(
            "{}",
            json!({"name": name, "ours": round(*ours), "limit": round(*limit), "unit": unit, "ratio": round(ratio)})
        );
    }
}

/// Four digits that count.
fn round(number: f64) -> f64 {
    if number == 0.0 {
        return 0.0;
    }
    let scale = 10f64.powi(3 - number.abs().log10().floor() as i32);
    (number * scale).round() / scale
}

/// Takes turns; the first turn of each warms up and does not count.
pub async fn in_turns<T, L>(
    rounds: usize,
    mut ours: impl AsyncFnMut() -> Outcome<T>,
    mut limit: impl AsyncFnMut() -> Outcome<L>,
) -> Outcome<(Vec<T>, Vec<L>)> {
    let (mut of_ours, mut of_limit) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (one, other) = (ours().await?, limit().await?);
        if round > 0 {
            of_ours.push(one);
            of_limit.push(other);
        }
    }
    Ok((of_ours, of_limit))
}

/// The number below which a part of all lies; 0 of none.
pub fn quantile(numbers: &[f64], part: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(0.0)
}

/// The one in the middle.
pub fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}
