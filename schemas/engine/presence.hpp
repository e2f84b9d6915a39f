// Whether a member is there: the four ways JSON knows, each a type.
//
//   T                 always there
//   std::optional<T>  a value or null; when parsed, absence reads as null
//   omittable<T>      a value or absent, never null
//   clearable<T>      a value, null or absent: a patch that sets, clears or leaves alone
#pragma once

#include <optional>
#include <utility>

namespace schemas {

template <class T>
struct omittable : std::optional<T> {
    using std::optional<T>::optional;
};

/** A member of a patch: leave the column alone, clear it, or set it. */
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

    /** What the column becomes; meaningless while absent. */
    const std::optional<T>& value() const { return value_; }

private:
    bool is_present_ = false;
    std::optional<T> value_;
};

} // namespace schemas
