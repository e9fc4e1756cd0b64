/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -C opt-level=2 */
// rust_work.rs - sorting, hashing and closures. Usage: rust_work SECONDS
use std::collections::HashMap;
use std::time::{Duration, Instant};

#[inline(never)]
fn sort_words(seed: u32) -> usize {
    let mut words: Vec<String> =
        (0..2000u32).map(|i| seed.wrapping_add(i).wrapping_mul(2654435761).to_string()).collect();
    words.sort_by(|a, b| b.cmp(a));
    let mut count: HashMap<String, u32> = HashMap::new();
    for word in &words {
        *count.entry(word.chars().take(3).collect()).or_insert(0) += 1;
    }
    count.len()
}

struct Counter<T> {
    value: T,
}

impl<T: Copy + std::ops::Add<Output = T>> Counter<T> {
    #[inline(never)]
    fn add_all(&mut self, items: &[T]) -> T {
        for item in items {
            self.value = self.value + *item;
        }
        self.value
    }
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let items: Vec<f64> = (0..100000).map(f64::from).collect();
    let mut counter = Counter { value: 0.0 };
    let mut seed = 0;
    let mut total = 0;
    while Instant::now() < end {
        total += sort_words(seed);
        seed += 1;
        std::hint::black_box(counter.add_all(&items));
    }
    std::hint::black_box(total);
}
