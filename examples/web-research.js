// Reads pages side by side and answers with citations. Arguments that begin with http are fetched, files are read.
//   llmspell run examples/web-research.js "When do boats leave?" [page …]
//   llmspell run --allow-net en.wikipedia.org --model google/gemini-2.5-flash examples/web-research.js "What is a spring tide?" https://en.wikipedia.org/wiki/Tide
const [question = 'How high does the water rise at a spring tide?', ...given] = ARGS;
const pages = given.length > 0 ? given : ['data/pages/tides.html', 'data/pages/harbour.html', 'data/pages/birds.html'];

const read = (page) => {
  if (/^https?:\/\//.test(page)) {
    const { title, text } = Tool.execute('web_fetch', { url: page });
    return { name: title ?? page, text };
  }
  const { title, text } = Tool.execute('html_text', { html: Tool.execute('file_read', { path: page }).content });
  return { name: title, text };
};

const sources = parallel(
  pages,
  (page) => {
    try {
      return read(page);
    } catch (error) {
      Logger.warn('a page cannot be read', { page, problem: error.message });
      return false;
    }
  },
  { max_concurrency: 4 },
);

const material = sources.map((source, at) => source && `[${at + 1}] ${source.name}\n${source.text}`).filter(Boolean);
const answer = Agent.execute({
  name: 'researcher',
  model: 'local/extractive',
  system_prompt: 'Answer from the numbered sources only and cite them like [1].',
  prompt: question,
  context: material.join('\n\n'),
});
print(answer.output);
print('');
pages.forEach((page, at) => print(`[${at + 1}] ${page}`));
