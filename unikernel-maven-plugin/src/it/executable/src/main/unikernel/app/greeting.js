/**
 * @param {string} name
 * @return {string}
 */
function greeting(name) {
  const unused = 1;
  return `Hello, ${name}! 🙂`;
}
console.log(greeting('world'));
