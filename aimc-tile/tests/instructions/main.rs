//! How many instructions the hot kernels take, counted by valgrind's callgrind: unlike times, the same on a busy machine.
//!
//! `cargo test --workspace --test instructions -- --ignored` compares them with `counts.json`, which also says for which
//! compiler and processor it holds; with AIMC_COUNTS=write it writes that file anew. Needs valgrind on x86-64 with AVX2.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::process::Command;

use aimc_device::programmed::{PcmLike, ProgrammedArray};
use aimc_device::{RngKey, config, parallel, pulsed::PulsedDeviceConfig};
use aimc_tile::{
    AnalogTile, HardwareAwareTileConfig, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, UnitCell,
};
use nalgebra::DMatrix;

/// Outputs and inputs of the tile: small enough for one thread.
const SIZE: usize = 64;
const BATCH: usize = 8;

/// Growth that is too much.
const TOLERATED: f64 = 0.1;

const COUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/instructions/counts.json");
const KERNEL: &str = "AIMC_KERNEL";
const ROUNDS: &str = "AIMC_ROUNDS";

const KERNELS: [&str; 12] = [
    "normals",
    "forward",
    "backward",
    "update ConstantStep",
    "update LinearStep",
    "update SoftBounds",
    "update ExpStep",
    "sparse update ExpStep",
    "update rows LinearStep",
    "hardware-aware step",
    "program PcmLike",
    "read PcmLike",
];

fn uniform(columns: usize, size: f32, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; SIZE * columns];
    RngKey::root(seed).stream(0).fill_uniform(&mut values);
    DMatrix::from_vec(SIZE, columns, values).map(|u| size * (2.0 * u - 1.0))
}

fn tile(model: &str) -> AnalogTile {
    let device: PulsedDeviceConfig = config::from_toml(&format!("model = \"{model}\"")).unwrap();
    let config = TileConfig { device: UnitCell::Pulsed(device), ..TileConfig::default() };
    let mut tile = config.build(Shape { outputs: SIZE, inputs: SIZE }, RngKey::root(1)).unwrap();
    tile.set_weights(&uniform(SIZE, 0.3, 2), RngKey::root(1)).unwrap();
    tile
}

/// Gets a kernel ready and runs it some times.
fn work(kernel: &str, rounds: u64) {
    let (x, d) = (uniform(BATCH, 1.0, 3), uniform(BATCH, 0.1, 4));
    let mut out = DMatrix::zeros(SIZE, BATCH);
    let draws = |round: u64| SampleKeys::new(RngKey::root(5)).skip(round * BATCH as u64);
    let targets: Vec<f32> = uniform(SIZE, 12.5, 6).iter().map(|g| g + 12.5).collect();
    let device = PcmLike::default();
    match kernel {
        "normals" => {
            let mut values = vec![0.0; 4096];
            (0..rounds).for_each(|round| RngKey::root(1).stream(round).fill_normal(&mut values));
        }
        "forward" | "backward" => {
            let tile = tile("ConstantStep");
            for round in 0..rounds {
                match kernel {
                    "forward" => tile.forward(x.as_view(), out.as_view_mut(), draws(round)).unwrap(),
                    _ => tile.backward(d.as_view(), out.as_view_mut(), draws(round)).unwrap(),
                }
            }
        }
        "sparse update ExpStep" => {
            // Few lines are as large as the largest.
            let (x, d) = (x.map(|x| x.powi(9)), d.map(|d| d.signum() * (10.0 * d).powi(8)));
            let mut tile = tile("ExpStep");
            (0..rounds).for_each(|round| tile.update(x.as_view(), d.as_view(), 0.01, draws(round)).unwrap());
        }
        "update rows LinearStep" => {
            let mut tile = tile("LinearStep");
            (0..rounds).for_each(|round| tile.update_rows(0, x.as_slice(), 0.01, draws(round)).unwrap());
        }
        "hardware-aware step" => {
            // Scaled weights on two tiles.
            let text = "modifier = { type = \"AddNormal\", std_dev = 0.1 }\n\
                [periphery.mapping]\nweight_scaling_omega = 0.6\nmax_input_size = 32";
            let record: HardwareAwareTileConfig = config::from_toml(text).unwrap();
            let mut tile = record.build(Shape { outputs: SIZE, inputs: SIZE }, RngKey::root(1)).unwrap();
            tile.set_weights(&uniform(SIZE, 0.3, 2), RngKey::root(1)).unwrap();
            let mut back = out.clone();
            for round in 0..rounds {
                let draws = draws(round).in_training();
                tile.forward(x.as_view(), out.as_view_mut(), draws).unwrap();
                tile.backward(d.as_view(), back.as_view_mut(), draws).unwrap();
                tile.update(x.as_view(), d.as_view(), 1e-6, draws).unwrap();
                tile.end_of_step(RngKey::root(round));
            }
        }
        "program PcmLike" => (0..rounds).for_each(|round| {
            drop(ProgrammedArray::program(&device, &targets, SIZE, RngKey::root(round)));
        }),
        "read PcmLike" => {
            let array = ProgrammedArray::program(&device, &targets, SIZE, RngKey::root(1));
            (0..rounds).for_each(|round| drop(array.read(&device, 3600.0, RngKey::root(round))));
        }
        _ => {
            let mut tile = tile(kernel.strip_prefix("update ").unwrap());
            (0..rounds).for_each(|round| tile.update(x.as_view(), d.as_view(), 0.01, draws(round)).unwrap());
        }
    }
}

/// What runs under valgrind.
#[test]
#[ignore = "run by instruction_counts"]
fn kernel() {
    let Ok(kernel) = std::env::var(KERNEL) else { return };
    work(&kernel, std::env::var(ROUNDS).unwrap().parse().unwrap());
}

/// Instructions of this program, running a kernel some times.
fn instructions(kernel: &str, rounds: u64) -> u64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--test-threads=1", "kernel"])
        .envs([(KERNEL, kernel.to_owned()), (ROUNDS, rounds.to_string())])
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("valgrind must be installed");
    let log = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{kernel}: {log}");
    let collected = log.lines().find_map(|line| line.split("Collected : ").nth(1));
    collected.unwrap_or_else(|| panic!("{kernel}: {log}")).trim().parse().unwrap()
}

/// Instructions per round: what runs before and after cancels.
#[test]
#[ignore = "needs valgrind and minutes"]
fn instruction_counts() {
    assert!(!parallel::worthwhile(SIZE * SIZE), "the kernels run on one thread");
    let counts: BTreeMap<&str, u64> = KERNELS
        .iter()
        .map(|kernel| (*kernel, (instructions(kernel, 5) - instructions(kernel, 1)) / 4))
        .collect();
    if std::env::var("AIMC_COUNTS").is_ok_and(|what| what == "write") {
        std::fs::write(COUNTS, serde_json::to_string_pretty(&counts).unwrap() + "\n").unwrap();
        return;
    }
    let expected: BTreeMap<String, u64> = serde_json::from_slice(&std::fs::read(COUNTS).unwrap()).unwrap();
    let mut grown = Vec::new();
    for (kernel, found) in &counts {
        let change = *found as f64 / expected[*kernel] as f64 - 1.0;
        println!("{kernel}: {found} instructions, {:+.1} %", 100.0 * change);
        if change > TOLERATED {
            grown.push(*kernel);
        }
    }
    assert!(grown.is_empty(), "grown by more than {} %: {grown:?}", 100.0 * TOLERATED);
}
