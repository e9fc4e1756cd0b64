// SPDX-License-Identifier: BSD-2-Clause

//! probed_rust.rs - functions of Rust with known arguments.
//!
//!	probed_rust add N    ledger::add(i, 2 i) N times
/* BUILD: -g */

mod ledger {
    #[inline(never)]
    pub fn add(a: u32, b: u64) -> u64 {
        std::hint::black_box(a as u64 + b)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() < 3 || args[1] != "add" {
        std::process::exit(2);
    }
    let n: u32 = args[2].parse().unwrap();
    let mut sum = 0;
    for i in 0..n {
        sum += ledger::add(i, 2 * i as u64);
    }
    println!("add {}", sum);
}
