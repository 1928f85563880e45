/* Decimal strings between backslashes (PS3.5 6.2, DS) to doubles: the one loop of the engine that numpy has no words for.

   `rtstruct_decimals.floats_of(text)` gives the values as bytes of native doubles, or None for a text that is anything but
   finite numbers; `decimal_strings.py`, its only caller, then asks Python's own `float`. What comes back is bit for bit
   what `float` makes: a mantissa up to 2^53 and a power of ten up to 10^22 are doubles without an error, so that one
   division rounds once (Clinger, How to read floating point numbers accurately, 1990); the rest goes to `float`'s code. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LARGEST_MANTISSA (UINT64_C(1) << 53)
/* As many digits always fit into 64 bits; so a power of ten beyond 10^19 is never asked for. */
#define MOST_DIGITS 19
/* DS has 16 characters; some writers give all digits of a double, and nobody more than this. */
#define LONGEST_NUMBER 63

static const double POWERS_OF_TEN[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                       1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && *at == ' ') at++;
    return at;
}

/* Appends the digits from `at` on to the mantissa, which may wrap around: the caller counts them. */
static const char *digits(const char *at, const char *end, uint64_t *mantissa)
{
    for (; at < end && (unsigned char)(*at - '0') < 10; at++) *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
    return at;
}

/* What is more than sign, digits and point (an exponent, a mantissa beyond 2^53) is read as Python reads it. */
static const char *read_by_python(const char *at, const char *end, double *value)
{
    char number[LONGEST_NUMBER + 1];
    Py_ssize_t length = 0;
    while (at + length < end && at[length] != '\\' && at[length] != ' ') length++;
    if (length > LONGEST_NUMBER) return NULL;
    memcpy(number, at, (size_t)length);
    number[length] = 0;
    char *rest;
    *value = PyOS_string_to_double(number, &rest, NULL);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    return rest == number + length && isfinite(*value) ? at + length : NULL;
}

/* One value and the blanks around it; where it ends, NULL when it is not a finite number. */
static const char *read_value(const char *at, const char *end, double *value)
{
    const char *const start = at = skip_blanks(at, end);
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    uint64_t mantissa = 0;
    const char *const whole = at;
    at = digits(at, end, &mantissa);
    Py_ssize_t count = at - whole, decimals = 0;
    if (at < end && *at == '.') {
        const char *const fraction = at + 1;
        at = digits(fraction, end, &mantissa);
        decimals = at - fraction;
        count += decimals;
    }
    const bool ended = at == end || *at == '\\' || *at == ' ';
    if (ended && count > 0 && count <= MOST_DIGITS && mantissa <= LARGEST_MANTISSA) {
        const double magnitude = (double)mantissa / POWERS_OF_TEN[decimals];
        *value = negative ? -magnitude : magnitude;
    } else {
        at = read_by_python(start, end, value);
        if (!at) return NULL;
    }
    at = skip_blanks(at, end);
    return at == end || *at == '\\' ? at : NULL;
}

/* Whether there are `count` finite numbers, and between them nothing but one backslash each. */
static bool read_values(const char *at, const char *end, double *values, Py_ssize_t count)
{
    for (Py_ssize_t each = 0; each < count; each++) {
        if (each) at++;
        at = read_value(at, end, &values[each]);
        if (!at) return false;
    }
    return at == end;
}

static PyObject *floats_of(PyObject *Py_UNUSED(module), PyObject *text)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(text, &buffer, PyBUF_SIMPLE)) return NULL;
    const char *const start = buffer.buf, *const end = start + buffer.len;
    Py_ssize_t count = 1;
    for (const char *at = start; at < end; at++) count += *at == '\\';
    PyObject *found = NULL;
    if (count > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(double)) {
        PyErr_NoMemory();
    } else {
        found = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(double));
    }
    /* Python's bytes start at a multiple of eight. */
    if (found && !read_values(start, end, (double *)(void *)PyBytes_AsString(found), count)) {
        Py_DECREF(found);
        found = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&buffer);
    return found;
}

static PyMethodDef functions[] = {
    {"floats_of", floats_of, METH_O, "The values of a text as bytes of doubles, None when they are not finite numbers."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "rtstruct_decimals",
    .m_doc = "Decimal strings to doubles.",
    .m_size = 0,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit_rtstruct_decimals(void)
{
    return PyModule_Create(&module);
}
