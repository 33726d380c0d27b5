import { expect, it } from "vitest";
import { resources } from "../src/util/resources.ts";

const made: string[] = [];
const freed: string[] = [];
const make = (key: { readonly of: string }) => {
  made.push(key.of);
  return key.of === "broken"
    ? Promise.reject(new Error("broken"))
    : Promise.resolve({
        name: key.of,
        release: async () => {
          freed.push(key.of);
        },
      });
};

it("resources are made once, freed once, and made again after that", async () => {
  const all = resources(make);
  const [one, same] = [await all.get({ of: "a" }), await all.get({ of: "a" })];
  expect(one).toBe(same);
  await expect(all.get({ of: "broken" })).rejects.toThrow("broken");
  await expect(all.get({ of: "broken" })).rejects.toThrow("broken");
  await all.get({ of: "b" });
  await all.drop({ of: "a" });
  await all.drop({ of: "a" });
  await all.drop({ of: "never" });
  expect(freed).toEqual(["a"]);
  await all.get({ of: "a" });
  await all.release();
  await all.release();
  expect(made).toEqual(["a", "broken", "broken", "b", "a"]);
  expect(freed).toEqual(["a", "b", "a"]);
});
