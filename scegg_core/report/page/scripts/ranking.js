// LEN's embedding in the page: pictures ranked by Eq. 3, and the attributes that speak for each.
// ASSUME: Eq. 3 compares the classes of one picture; so that pictures can be compared, what a picture gives the mean class is
// taken off: e_l · (a − mean a).
class Ranking {
  constructor(description) {
    const known = halves(), semantics = unpackHalf(description.semantics, known); // (pictures, attributes), shares of the scale
    this.size = description.attributes.length;
    this.strengths = unpackHalf(description.strengths, known); // (classes, attributes), shares of the largest
    this.count = semantics.length / this.size;
    this.rows = semantics;
    this.factor = description.scale;
    this.unit = description.unit;
    this.largest = description.largest;
    this.columns = this.transposed(semantics); // (attributes, pictures): a change of one attribute reads one row
    this.mean = Float64Array.from({ length: this.size }, (_, place) => this.column(place).reduce((sum, value) => sum + value, 0) / this.count);
    this.middle = this.meanVector();
    this.given = this.products(this.middle); // what a picture gives the mean class
    this.values = new Float64Array(this.size); // strengths of the described class
    this.found = new Float64Array(this.count); // e_l · values
  }

  transposed(rows) {
    const columns = new Float32Array(rows.length);
    for (let place = 0; place < this.size; place++)
      for (let picture = 0; picture < this.count; picture++) columns[place * this.count + picture] = rows[picture * this.size + place];
    return columns;
  }

  column(place) {
    return this.columns.subarray(place * this.count, (place + 1) * this.count);
  }

  meanVector() {
    const mean = new Float64Array(this.size), classes = this.strengths.length / this.size;
    for (let label = 0; label < classes; label++) {
      const strengths = this.strengthsOf(label), share = 1 / (this.length(strengths) * classes);
      for (let place = 0; place < this.size; place++) mean[place] += strengths[place] * share;
    }
    return mean;
  }

  strengthsOf(label) {
    return this.strengths.subarray(label * this.size, (label + 1) * this.size);
  }

  /** What strengths are divided by to give a: their length, or what is 1 in the source. */
  length(values) {
    return this.unit ? Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1 : 1 / this.largest;
  }

  /** a of a described class: strengths at length 1, or as they are in the source. */
  vector(values) {
    const length = this.length(values);
    return Float64Array.from(values, (value) => value / length);
  }

  /** e_l · values of every picture. */
  products(values) {
    const products = new Float64Array(this.count);
    values.forEach((value, place) => this.add(products, place, value));
    return products;
  }

  add(products, place, factor) {
    for (let picture = 0, at = place * this.count; picture < this.count; picture++, at++) products[picture] += this.columns[at] * factor;
  }

  /** Describe a class by the strengths of all attributes. */
  take(values) {
    this.values.set(values);
    this.found = this.products(this.values);
  }

  /** Change one attribute of the described class. */
  change(place, value) {
    this.add(this.found, place, value - this.values[place]);
    this.values[place] = value;
  }

  /** The pictures' scores: e_l · (a − mean a). */
  scores() {
    const length = this.length(this.values);
    return this.found.map((product, picture) => (product / length - this.given[picture]) * this.factor);
  }

  /** What the described class has more of each attribute than the mean class. */
  leads() {
    return this.vector(this.values).map((value, place) => value - this.middle[place]);
  }

  /** Of the attributes that the description leads in, those that lift a picture most above the mean one. */
  reasons(picture, leads, most = 3) {
    const row = this.rows.subarray(picture * this.size, (picture + 1) * this.size);
    const lifts = leads.map((lead, place) => (lead > 0 ? (row[place] - this.mean[place]) * lead : 0));
    return best(lifts, most).filter((place) => lifts[place] > 0);
  }
}

/** The places of the `most` largest of `values`, largest first; of equal ones the first. */
function best(values, most) {
  const found = [];
  for (let place = 0; place < values.length; place++) {
    if (found.length === most && values[place] <= values[found[most - 1]]) continue;
    let at = found.length;
    while (at && values[found[at - 1]] < values[place]) at--;
    found.splice(at, 0, place);
    if (found.length > most) found.pop();
  }
  return found;
}
