/** The words of the language that is spoken around an element (`lang`); English where there is no other. */
const wordsFor = (element) => {
  const asked = (element.closest("[lang]")?.lang ?? "").toLowerCase();
  return languages[Object.keys(languages).find((name) => name.toLowerCase() === asked)] ?? languages.en;
};
