// LEN's embedding in the page: pictures ranked by Eq. 3, and the attributes that speak for each. Eq. 3 compares the classes
// of one picture; so that pictures can be compared, what a picture gives the mean class is taken off: e_l · (a − mean a).
class Ranking {
  constructor(description) {
    const known = halves();
    this.size = description.attributes.length;
    this.semantics = unpackHalf(description.semantics, known); // (pictures, attributes), shares of the scale
    this.strengths = unpackHalf(description.strengths, known); // (classes, attributes), shares of the largest
    this.count = this.semantics.length / this.size;
    this.factor = description.scale;
    this.unit = description.unit;
    this.largest = description.largest;
    this.mean = this.meanOf(this.count, (picture) => this.semantics.subarray(picture * this.size, (picture + 1) * this.size));
    this.middle = this.meanOf(this.strengths.length / this.size, (label) => this.vector(this.strengthsOf(label)));
  }

  meanOf(count, row) {
    const mean = new Float64Array(this.size);
    for (let number = 0; number < count; number++) {
      const values = row(number);
      for (let place = 0; place < this.size; place++) mean[place] += values[place] / count;
    }
    return mean;
  }

  strengthsOf(label) {
    return this.strengths.subarray(label * this.size, (label + 1) * this.size);
  }

  /** a of the described class: strengths at length 1, or as they are in the source. */
  vector(values) {
    let squares = 0;
    for (const value of values) squares += value * value;
    const length = this.unit ? Math.sqrt(squares) || 1 : 1 / this.largest;
    return Float64Array.from(values).map((value) => value / length);
  }

  /** The pictures, best first, and their scores. */
  rank(values) {
    const vector = this.vector(values).map((value, place) => value - this.middle[place]), scores = new Float64Array(this.count);
    for (let picture = 0, row = 0; picture < this.count; picture++, row += this.size) {
      let sum = 0;
      for (let place = 0; place < this.size; place++) sum += this.semantics[row + place] * vector[place];
      scores[picture] = sum * this.factor;
    }
    const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
    return { order, scores, vector };
  }

  /** Of the attributes that the description has more of than the mean class, those that lift a picture most above the mean one. */
  reasons(picture, vector, most = 3) {
    const lifts = [];
    for (let place = 0; place < this.size; place++) {
      const lift = vector[place] > 0 ? (this.semantics[picture * this.size + place] - this.mean[place]) * vector[place] : 0;
      if (lift > 0) lifts.push([lift, place]);
    }
    return lifts.sort((a, b) => b[0] - a[0]).slice(0, most).map(([, place]) => place);
  }
}
