#!/bin/sh
# A sweep as an array of jobs: sbatch examples/sweeps/slurm.sh, in a clone on a file system that all nodes share, after
# `cargo build --release -p xtask` there. A job that was killed may be submitted again: what is done is not repeated.
# The table, once all are done: target/release/xtask sweep FILE --cache out/sweep/cache --join
#SBATCH --job-name=aimc-sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --requeue
set -eu
exec target/release/xtask --threads "$SLURM_CPUS_PER_TASK" sweep examples/sweeps/device_specification.toml \
  --cache out/sweep/cache --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
