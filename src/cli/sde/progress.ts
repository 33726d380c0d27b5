import type { SdeEvent } from "../../experiments/sde/events.ts";
import { colors } from "../colors.ts";
import { duration, percent } from "../format.ts";
import { say, status } from "../ui.ts";

/** Tells a person how the runs go: one line that renews itself, and one that stays per run. */
export function sdeProgress(total: number, steps: number, complete: number): (event: SdeEvent) => void {
  const begun = performance.now();
  const at = new Map<string, number>();
  let [done, earlier] = [complete, 0];
  const last = new Map<string, string>();

  const show = () => {
    const running = [...at.values()].reduce((sum, step) => sum + step, 0);
    const now = done * steps + running;
    const made = now - complete * steps - earlier;
    const left = ((total * steps - now) / Math.max(1, made)) * ((performance.now() - begun) / 1000);
    const eta = made > 0 ? `  ETA ${duration(left)}` : "";
    status(`run ${Math.min(total, done + at.size)}/${total}  ${percent(now / (total * steps), 0)}${eta}`);
  };

  return (event) => {
    const { run, rho, seed } = event;
    switch (event.event) {
      case "start":
        at.set(run, event.step);
        earlier += event.step;
        break;
      case "measure":
        at.set(run, event.step);
        if (event.process === "discrete")
          last.set(run, `loss ${event.trainLoss.toFixed(3)}  test ${percent(event.testAccuracy)}`);
        break;
      case "diverged":
        status("");
        say(`  ρ ${rho} seed ${seed}: ${event.process} diverged by step ${event.step}`);
        break;
      case "done": {
        at.delete(run);
        done++;
        status("");
        const result = last.get(run) ?? "";
        say(`${colors.green("✓")} ρ ${rho}  seed ${seed}  ${result}  ${colors.dim(duration(event.seconds))}`);
      }
    }
    show();
  };
}
