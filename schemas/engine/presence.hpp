// Presence of a member in JSON: the four combinations of absent and null, each as a type.
//
//   T                 required, never null
//   std::optional<T>  a value or null; absent is parsed as null
//   omittable<T>      a value or absent, never null
//   clearable<T>      a value, null or absent: the member of a patch
#pragma once

#include <optional>
#include <utility>

namespace schemas {

template <class T>
struct omittable : std::optional<T> {
    using std::optional<T>::optional;
};

/// A member of a patch: absent leaves the column unchanged, null clears it, a value sets it.
template <class T>
class clearable {
public:
    clearable() = default;
    clearable(std::nullopt_t) : is_present_(true) {}
    clearable(T value) : is_present_(true), value_(std::move(value)) {}

    bool is_absent() const { return !is_present_; }
    bool is_null() const { return is_present_ && !value_; }
    bool has_value() const { return value_.has_value(); }

    const T& operator*() const { return *value_; }
    const T* operator->() const { return &*value_; }

    /// The new value of the column; meaningless if absent.
    const std::optional<T>& value() const { return value_; }

private:
    bool is_present_ = false;
    std::optional<T> value_;
};

} // namespace schemas
