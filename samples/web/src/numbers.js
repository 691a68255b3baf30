// A number field's value. The browser reads what is typed; what it cannot read, such as 0,005 where the decimal sign is a
// point, has no value and is refused, unless the field does not count.
export function numberIn(field) {
  const number = field.valueAsNumber;
  if (!Number.isFinite(number) && !field.disabled)
    throw new Error(`${field.name} is not a number; write it with a decimal point, as 0.005.`);
  return number;
}
