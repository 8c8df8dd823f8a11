#!/bin/bash
# One run of @name:line@ as a batch job: sbatch slurm.sh
# Written once by `prov init slurm`; it is yours to change.
# @slurm_why:line@
#SBATCH --job-name=@slug@
#SBATCH --output=%x-%j.log
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=@slurm_cpus@
#SBATCH --mem=@slurm_mem@
#SBATCH --time=@slurm_time@
@if slurm_gpus@
#SBATCH --gres=gpu:@slurm_gpus@
@end@
# TODO: --partition and --account, if your cluster asks for them

set -euo pipefail

cd "${SLURM_SUBMIT_DIR:-$(dirname "${BASH_SOURCE[0]}")}"

# The environment of the experiment, if it lies here; else the one that is active.
for folder in .venv venv .conda; do
  if [ -x "$folder/bin/python" ]; then
    export PATH="$PWD/$folder/bin:$PATH"
    break
  fi
done

@unless command@
# TODO: the command of the paper, with its arguments
@end@
set -- @slurm_command:sh@ "$@"

if command -v prov > /dev/null; then
  set -- prov run --name "${SLURM_JOB_NAME:-@slug@}" -- "$@"
else
  echo "prov is not on PATH: this run is not recorded" >&2
fi
exec "$@"
