# SPDX-License-Identifier: Apache-2.0
# cmake --install: library, public headers, find_package(octavo), pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS octavo EXPORT octavoTargets)
install(DIRECTORY jit/include/ runtime/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT octavoTargets NAMESPACE octavo:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/octavo)
configure_package_config_file(runtime/install/octavoConfig.cmake.in octavoConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/octavo)
write_basic_package_version_file(octavoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/octavoConfig.cmake ${PROJECT_BINARY_DIR}/octavoConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/octavo)

# A static library needs its own libraries named: `pkg-config --static`.
set(OCTAVO_PC_STATIC "")
if(NOT BUILD_SHARED_LIBS)
  set(OCTAVO_PC_STATIC "Requires.private: fmt protobuf libjpeg libpng zlib\nLibs.private: -ldnnl -lZydis ${OpenMP_CXX_FLAGS} -lstdc++ -lm")
endif()
file(RELATIVE_PATH OCTAVO_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(runtime/install/octavo.pc.in octavo.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/octavo.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
