// The same workflows in LangGraph.js: a chain of nodes, and as many nodes side by side, each of which does nothing.
import { END, START, StateGraph, StateSchema } from '@langchain/langgraph';
import { z } from 'zod';

export const version = '@langchain/langgraph 1.7.3';

const state = new StateSchema({ value: z.number().optional() });
const node = () => ({});

/** Runs `count` steps one after the other; the graph is made anew each time, as ours is. */
export async function sequential(count) {
  const graph = new StateGraph(state);
  for (let i = 1; i <= count; i++) graph.addNode(`step${i}`, node);
  graph.addEdge(START, 'step1');
  for (let i = 1; i < count; i++) graph.addEdge(`step${i}`, `step${i + 1}`);
  graph.addEdge(`step${count}`, END);
  await graph.compile().invoke({}, { recursionLimit: count + 10 });
}

/** Runs `count` branches side by side. */
export async function parallel(count) {
  const graph = new StateGraph(state);
  for (let i = 1; i <= count; i++) graph.addNode(`branch${i}`, node).addEdge(START, `branch${i}`).addEdge(`branch${i}`, END);
  await graph.compile().invoke({}, { recursionLimit: 10 });
}
