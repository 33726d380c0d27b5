import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

/** Properties of registry entries that only people read. */
const TEXTS = new Set(["about", "colour", "hint", "source", "summary", "symbol", "title"]);

/** Leaves alone what errors say and what help texts, tables and figures call things: tests of numbers have no opinion on words. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, "texts", {
    shouldIgnore(path) {
      const { node } = path;
      if (node.type === "NewExpression" && /Error$/.test(node.callee.name ?? ""))
        return "the text and data of an error";
      if (node.type === "ObjectProperty" && TEXTS.has(node.key.name)) return "a text for people";
      return undefined;
    },
  }),
];
