import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A cluster of one node with two cores on this machine. Its partition `high` preempts its partition `low`. */
export interface SlurmCluster {
  /** The environment in which commands of Slurm, and eigensam, find it. */
  readonly env: NodeJS.ProcessEnv;
  /** What a command of Slurm prints. */
  readonly ask: (command: string, ...args: string[]) => string;
  /** Lets elements that were requeued begin at once: Slurm has them wait for two minutes. */
  readonly hurry: () => void;
  readonly end: () => Promise<void>;
}

/** Debian's packages put the daemons where only root looks. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

/** Whether this machine has what a cluster needs: Debian's package slurm-wlm. */
export const hasSlurm = (): boolean =>
  spawnSync("sh", ["-c", "command -v slurmctld slurmd sbatch"], { env: { ...process.env, PATH } }).status === 0;

/** Starts a cluster in a temporary folder, without munge and without control groups. */
export async function startSlurm(): Promise<SlurmCluster> {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-slurm-"));
  for (const name of ["state", "spool"]) mkdirSync(join(folder, name));
  const conf = join(folder, "slurm.conf");
  writeFileSync(conf, configuration(folder, await freePort(), await freePort()));
  const env = { ...process.env, PATH, SLURM_CONF: conf };
  const daemons = (["slurmctld", "slurmd"] as const).map((name) => spawn(name, ["-D"], { env, stdio: "ignore" }));
  const ask = (command: string, ...args: string[]) => execFileSync(command, args, { env, encoding: "utf8" }).trim();
  const end = async () => {
    for (const daemon of daemons.toReversed()) {
      const ended = new Promise((resolve) => daemon.once("exit", resolve));
      if (daemon.kill("SIGTERM")) await Promise.race([ended, sleep(5000).then(() => daemon.kill("SIGKILL"))]);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (
    let tries = 0;
    spawnSync("sinfo", ["-h", "-o", "%t"], { env, encoding: "utf8" }).stdout.split("\n")[0] !== "idle";
    tries++
  ) {
    if (tries === 100) {
      await end();
      throw new Error("the node of the cluster did not come up");
    }
    await sleep(200);
  }
  return { env, ask, end, hurry: () => hurry(ask) };
}

function hurry(ask: SlurmCluster["ask"]): void {
  const rows = ask("squeue", "--array", "--noheader", "--format=%F_%K %r").split("\n");
  for (const [element, reason] of rows.map((row) => row.split(" ")))
    if (reason === "BeginTime") ask("scontrol", "update", `JobId=${element}`, "StartTime=now");
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

function configuration(folder: string, controller: number, node: number): string {
  const [host, user] = [hostname(), userInfo().username];
  const node0 = `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000`;
  return `
ClusterName=eigensam
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
AuthType=auth/none
CredType=cred/none
SlurmUser=${user}
SlurmdUser=${user}
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0
ReturnToService=2
KillWait=10
OverTimeLimit=0
${node0}
PartitionName=low Nodes=${host} Default=YES PriorityTier=1 GraceTime=20 PreemptMode=REQUEUE
PartitionName=high Nodes=${host} PriorityTier=2 PreemptMode=OFF
`;
}
