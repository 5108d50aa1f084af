/**
 * @param {string} name
 * @return {string}
 */
function greeting(name) {
  const unused = 1;
  return `Grüße, ${name}!`;
}
console.log(greeting('world'));
