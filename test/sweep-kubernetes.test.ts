import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Job } from "kubernetes-models/batch/v1";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runFiles } from "../src/run/files.ts";
import { clusterOptions } from "../src/sweep/cluster-options.ts";
import { dockerfile, jobManifest, jobNameOf } from "../src/sweep/kubernetes.ts";
import { inPackage } from "../src/util/package.ts";
import { eigensam, type Outcome } from "./support/cli.ts";

const options = (given: object) => clusterOptions.kubernetes.parse(given);
const manifestOf = (given: object = {}) =>
  jobManifest({
    ...{ name: "My_sweep", version: "1.2.3", runs: 6, jobs: 4, cpus: 2, image: "i" },
    options: options(given),
  });

describe("the manifest", () => {
  it("is a Job by the schema that Kubernetes publishes, which finds what is wrong", () => {
    for (const given of [{}, { namespace: "lab", gpus: 2, retries: 0 }]) new Job(parse(manifestOf(given))).validate();
    const wrong = parse(manifestOf().replace("podReplacementPolicy: Failed", "podReplacementPolicy: Never"));
    expect(() => new Job(wrong).validate()).toThrow("podReplacementPolicy must be equal to one of the allowed values");
  });

  it("has one pod per run, retries each by itself, and leaves time to save", () => {
    const { metadata, spec } = parse(
      manifestOf({ graceSeconds: 60, retries: 5, claim: "disk", gpus: 1, memory: "3Gi" }),
    );
    expect(metadata.name).toBe("eigensam-my-sweep");
    expect(spec).toMatchObject({
      ...{ completionMode: "Indexed", completions: 6, parallelism: 4, backoffLimitPerIndex: 5 },
      podReplacementPolicy: "Failed",
    });
    const { restartPolicy, terminationGracePeriodSeconds, containers, volumes } = spec.template.spec;
    expect({ restartPolicy, terminationGracePeriodSeconds }).toEqual({
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 60,
    });
    expect(containers[0].resources.limits).toEqual({ cpu: "2", memory: "3Gi", "nvidia.com/gpu": "1" });
    expect(containers[0].imagePullPolicy).toBe("IfNotPresent");
    expect(volumes).toEqual([{ name: "runs", persistentVolumeClaim: { claimName: "disk" } }]);
  });

  it("has a name that Kubernetes takes, whatever that of the sweep", () => {
    for (const name of ["A_b.c", "9", "x".repeat(80), "end-"])
      expect(jobNameOf(name)).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$/);
  });
});

it("builds an image with the engine for GPUs where the runs have some", () => {
  const lines = (given: object) => dockerfile({ version: "1.2.3", options: options(given) }).split("\n");
  expect(lines({})[1]).toBe("RUN npm install --global --ignore-scripts eigensam@1.2.3");
  expect(lines({}).join()).not.toContain("cuda");
  expect(lines({ gpus: 1, base: "cuda:12" })).toEqual(
    expect.arrayContaining(["FROM cuda:12", "RUN eigensam doctor --install-cuda"]),
  );
});

describe("eigensam sweep run --on kubernetes", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-kubernetes "));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const [out, local, volume] = ["out", "local", "volume/sweep"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const file = join(folder, "sweep.toml");
  writeFileSync(
    file,
    `threads = 1
    seeds = [1]
    [settings]
    model.name = "mlp"
    model.width = 4
    data.name = "fashion-mini"
    data.examples = 500
    train.epochs = 1
    [vary]
    optimizer.lr = [0.1, 0.2]
    [kubernetes]
    image = "registry.example/sweep:1"`,
  );
  let printed: Outcome;
  beforeAll(async () => {
    const run = (to: string, ...args: string[]) => eigensam(["sweep", "run", file, "--out", to, ...args]);
    [printed] = await Promise.all([run(out, "--on", "kubernetes", "-j", "8"), run(local)]);
    // What the image has: the command, and the files that the Dockerfile copies.
    mkdirSync(join(folder, "bin"));
    writeFileSync(
      join(folder, "bin/eigensam"),
      `#!/bin/sh\nexec '${process.execPath}' '${inPackage("bin/eigensam.js")}' "$@"\n`,
    );
    chmodSync(join(folder, "bin/eigensam"), 0o755);
  });

  it("writes what Kubernetes needs, and prints how to hand it over", () => {
    expect(readdirSync(join(out, "kubernetes")).sort()).toEqual([
      "Dockerfile",
      "entrypoint.sh",
      "job.yaml",
      "plan.json",
    ]);
    expect(printed.stdout.split("\n")).toEqual([
      `docker build --tag registry.example/sweep:1 '${out}/kubernetes'`,
      "docker push registry.example/sweep:1",
      `kubectl apply --filename '${out}/kubernetes/job.yaml'`,
      "",
    ]);
    expect(parse(readFileSync(join(out, "kubernetes/job.yaml"), "utf8")).spec).toMatchObject({
      completions: 2,
      parallelism: 2,
    });
  });

  const pod = (index: number, to: string) =>
    spawnSync("sh", [join(out, "kubernetes/entrypoint.sh")], {
      encoding: "utf8",
      env: {
        ...{ ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}`, EIGENSAM_ALLOCATOR: "stock" },
        ...{ JOB_COMPLETION_INDEX: String(index), EIGENSAM_OUT: to },
      },
    });

  it("has an entrypoint that makes the bytes of a local sweep, index by index", () => {
    for (const index of [0, 1]) expect(pod(index, volume)).toMatchObject({ status: 0 });
    const names = readdirSync(local).filter((name) => name.startsWith("lr0."));
    expect(names).toHaveLength(2);
    for (const name of names)
      for (const part of ["metrics", "weights", "best"] as const) {
        const [a, b] = [volume, local].map((each) => readFileSync(runFiles(join(each, name))[part]));
        expect(a!.equals(b!), `${part} of ${name}`).toBe(true);
      }
  });

  it("has an entrypoint that leaves another sweep on the volume alone", () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    writeFileSync(join(taken, "plan.json"), "{}");
    expect(pod(0, taken)).toMatchObject({ status: 2, stderr: expect.stringContaining("holds another sweep") });
  });
});
